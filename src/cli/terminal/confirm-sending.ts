import { createInterface } from 'node:readline/promises'
import type { App } from '../../app.ts'
import { editionName } from '../../editions/edition.ts'
import type { EditionRow } from '../../store/schema.ts'
import { countActive } from '../../store/subscribers/subscribers.ts'
import { formatCount } from '../../text/words.ts'
import { sanitizeLine } from './output.ts'

export type Terminal = { input: NodeJS.ReadStream; output: NodeJS.WriteStream }

const processTerminal: Terminal = { input: process.stdin, output: process.stdout }

/** "Send weekly 3, “Subject”, to 1,352 people?" */
export function sendingQuestion(edition: EditionRow, people: number): string {
  return `Send ${editionName(edition)}, “${sanitizeLine(edition.subject)}”, to ${formatCount(people, 'person', 'people')}?`
}

/** Asks whether to send an edition. True without asking if input or output is not a terminal; no answer means no. */
export async function confirmSending(
  { db }: Pick<App, 'db'>,
  edition: EditionRow,
  terminal = processTerminal,
): Promise<boolean> {
  const { input, output } = terminal
  if (!input.isTTY || !output.isTTY) return true
  const question = sendingQuestion(edition, await countActive(db, edition.digest))
  const lines = createInterface({ input, output })
  try {
    const inputClosed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    const answer = await Promise.race([lines.question(`${question} [y/N] `), inputClosed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
