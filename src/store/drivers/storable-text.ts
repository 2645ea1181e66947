/**
 * The parameters of a statement as both engines can store them: without NUL (PostgreSQL refuses it, and SQLite ends some
 * functions at it), and with U+FFFD in the place of a surrogate without its partner, which UTF-8 cannot write.
 * Returns the same array where nothing has to change.
 */
export function storableParameters(parameters: readonly unknown[]): readonly unknown[] {
  for (let index = 0; index < parameters.length; index++) {
    const value = parameters[index]
    if (typeof value === 'string' && !isStorable(value)) return parameters.map(storableValue)
  }
  return parameters
}

/** The text as the store keeps it. */
export function storableText(text: string): string {
  return isStorable(text) ? text : text.replaceAll('\0', '').toWellFormed()
}

/** The same of every text in a value of arrays and plain objects, the names of fields too. */
export function storable<T>(value: T): T {
  return clean(value) as T
}

/** A value as JSON, whose texts are storable when they are read back too: escaped, they would pass as any other text. */
export function storableJson(value: unknown): string {
  return JSON.stringify(storable(value))
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storableText(name), clean(inner)]))
}

function storableValue(value: unknown): unknown {
  return typeof value === 'string' ? storableText(value) : value
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
