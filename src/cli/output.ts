import { AppError, messageOf } from '../errors.ts'

/** The answer of a command goes to stdout … */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** … and all else to stderr. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Rows as columns of equal width, without trailing blanks. */
export function table(rows: string[][]): string {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length)
    })
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** What happened and what to do, for a person; a stack only for a fault of ours. */
export function explainError(error: unknown): string {
  if (!(error instanceof AppError)) {
    const stack = error instanceof Error ? error.stack : undefined
    return `lastword: internal error: ${stack ?? messageOf(error)}\nThis is a fault of lastword, not of yours: please report it.`
  }
  const message = error.message.split('\n').map(safe).join('\n')
  return `lastword:${message.includes('\n') ? '\n' : ' '}${message}${error.hint ? `\n${safe(error.hint)}` : ''}`
}

/** Text from outside, safe for a terminal: no control characters, and none that turns the direction of what follows. */
export function safe(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what we remove
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, ' ')
}
