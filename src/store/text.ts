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

function storableValue(value: unknown): unknown {
  return typeof value === 'string' ? storableText(value) : value
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
