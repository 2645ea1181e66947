import { AppError, messageOf } from '../../errors.ts'
import { storeErrorIn } from '../../store/drivers/failure.ts'
import { forTerminal, jsonForTerminal } from '../../text/characters.ts'

/** Prints the result of a command to stdout, without control characters. */
export function print(text: string): void {
  process.stdout.write(`${sanitizeLines(text)}\n`)
}

export function printJson(value: unknown): void {
  print(jsonForTerminal(JSON.stringify(value)))
}

/** Prints anything else to stderr. */
export function printStderr(text: string): void {
  process.stderr.write(`${sanitizeLines(text)}\n`)
}

/** Formats rows as columns of equal width, without trailing spaces. */
export function formatTable(rows: string[][]): string {
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

/** What happened and what to do; with the stack only for an internal error. */
export function explainError(thrown: unknown): string {
  const error = thrown instanceof AppError ? thrown : (storeErrorIn(thrown) ?? thrown)
  if (!(error instanceof AppError)) {
    const stack = error instanceof Error ? error.stack : undefined
    return `lastword: internal error: ${stack ?? messageOf(error)}\nThis is a bug in lastword: please report it.`
  }
  const message = error.message.split('\n').map(sanitizeLine).join('\n')
  return `lastword:${message.includes('\n') ? '\n' : ' '}${message}${error.hint ? `\n${sanitizeLine(error.hint)}` : ''}`
}

/** Text from outside, safe for a terminal and on one line. */
export function sanitizeLine(text: string): string {
  return forTerminal(text)
}

/** The same, but keeps line breaks and tabs. */
function sanitizeLines(text: string): string {
  return forTerminal(text, '\n\t')
}
