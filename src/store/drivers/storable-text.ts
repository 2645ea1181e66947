/**
 * The parameters of a statement in a form that both engines can store: without NUL (PostgreSQL refuses it, some
 * functions of SQLite end there), and with U+FFFD for lone surrogates, which UTF-8 cannot encode. Returns the same
 * array if nothing changes.
 */
export function storableParameters(parameters: readonly unknown[]): readonly unknown[] {
  for (let index = 0; index < parameters.length; index++) {
    const value = parameters[index]
    if (typeof value === 'string' && !isStorable(value)) return parameters.map(storableValue)
  }
  return parameters
}

/** The text in the form in which the store keeps it. */
export function storableText(text: string): string {
  return isStorable(text) ? text : text.replaceAll('\0', '').toWellFormed()
}

/** The same for every text in a value of arrays and plain objects, including field names. */
export function storable<T>(value: T): T {
  return clean(value) as T
}

/** A value as JSON with storable texts: JSON escapes would hide characters from the check of the parameters. */
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
