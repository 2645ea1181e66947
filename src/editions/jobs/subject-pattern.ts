/**
 * The placeholders of subject and preheader. A pattern is filled once, with plain text: placeholders
 * inside a title are not replaced.
 */
export const placeholders = ['title', 'number', 'date', 'lead', 'second', 'third', 'count'] as const

export type Placeholder = (typeof placeholders)[number]

/** The first unknown placeholder of a pattern as a sentence with the known ones; undefined if there is none. */
export function placeholderProblem(pattern: string): string | undefined {
  const names = [...pattern.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name)
  const unknown = names.find((name) => !placeholders.includes(name as Placeholder))
  if (unknown === undefined) return undefined
  return `unknown placeholder {${unknown}}: expected one of ${placeholders.map((known) => `{${known}}`).join(', ')}`
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
