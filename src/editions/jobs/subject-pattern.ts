/**
 * The placeholders of subject and preheader. A pattern is filled once, with plain text: placeholders
 * inside a title are not replaced.
 */
export const placeholders = ['title', 'number', 'date', 'lead', 'second', 'third', 'count'] as const

export type Placeholder = (typeof placeholders)[number]

/** A sentence with the known placeholders for each unknown placeholder of a pattern. */
export function placeholderProblems(pattern: string): string[] {
  const known = placeholders.map((name) => `{${name}}`).join(', ')
  const names = [...pattern.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name)
  const unknown = names.filter((name) => !placeholders.includes(name as Placeholder))
  return unknown.map((name) => `unknown placeholder {${name}}: expected one of ${known}`)
}

/**
 * Fills placeholders such as `{lead}`. An empty placeholder is removed with the separator before it, or at the beginning
 * with the one after it; separators inside values are kept.
 */
export function fillPattern(pattern: string, values: Record<Placeholder, string>): string {
  return withoutEmptyBeginning(pattern, values)
    .replace(/(\s*[·|,;–—-]\s*)?\{(\w+)\}/g, (_, separator: string | undefined, name: Placeholder) => {
      const value = values[name] ?? ''
      return value ? `${separator ?? ''}${value}` : ''
    })
    .replace(/\s+/g, ' ')
    .trim()
}

function withoutEmptyBeginning(pattern: string, values: Record<Placeholder, string>): string {
  const [beginning, name] = /^\s*\{(\w+)\}\s*[·|,;–—-]?\s*/.exec(pattern) ?? []
  if (beginning === undefined || values[name as Placeholder]) return pattern
  return withoutEmptyBeginning(pattern.slice(beginning.length), values)
}
