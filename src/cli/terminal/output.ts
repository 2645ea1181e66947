import { AppError, messageOf } from '../../errors.ts'
import { storeErrorIn } from '../../store/drivers/failure.ts'
import { forTerminal, jsonForTerminal } from '../../text/characters.ts'

/** The answer of a command goes to stdout … Whatever is in it, it commands no terminal. */
export function print(text: string): void {
  process.stdout.write(`${sanitizeLines(text)}\n`)
}

export function printJson(value: unknown): void {
  print(jsonForTerminal(JSON.stringify(value)))
}

/** … and all else to stderr. */
export function printStderr(text: string): void {
  process.stderr.write(`${sanitizeLines(text)}\n`)
}

/** Rows as columns of equal width, without trailing blanks. */
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

/** What happened and what to do, for a person; a stack only for a fault of ours. */
export function explainError(thrown: unknown): string {
  const error = thrown instanceof AppError ? thrown : (storeErrorIn(thrown) ?? thrown)
  if (!(error instanceof AppError)) {
    const stack = error instanceof Error ? error.stack : undefined
    return `lastword: internal error: ${stack ?? messageOf(error)}\nThis is a fault of lastword, not of yours: please report it.`
  }
  const message = error.message.split('\n').map(sanitizeLine).join('\n')
  return `lastword:${message.includes('\n') ? '\n' : ' '}${message}${error.hint ? `\n${sanitizeLine(error.hint)}` : ''}`
}

/** Text from outside, safe for a terminal and on one line. */
export function sanitizeLine(text: string): string {
  return forTerminal(text)
}

/** The same for lines of ours, which may be several and have tabs. */
function sanitizeLines(text: string): string {
  return forTerminal(text, '\n\t')
}
