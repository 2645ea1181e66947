/**
 * The placeholders of subject and preheader. A pattern is filled once, with plain text: what a title
 * holds is never read as a pattern again.
 */
export const placeholders = ['title', 'number', 'date', 'lead', 'second', 'third', 'count'] as const

export type Placeholder = (typeof placeholders)[number]

/**
 * Fills `{lead}` and its like. A placeholder without a value takes the separator before it along, or at the beginning
 * the one behind it; what looks like a separator inside a value stays.
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
