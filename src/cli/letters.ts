import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { type App, requireDigestName } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { createLetter, DuplicateLetter, withdrawPendingLetter } from '../editions/letters/letters.ts'
import type { LetterProblem, TypedLetter } from '../editions/letters/read-letter.ts'
import { AppError, messageOf, systemCode } from '../errors.ts'
import { type Letter, lettersOf } from '../store/letters/letters.ts'
import { namedOrOnlyDigest } from './subscribers.ts'
import { formatTable, print, printJson, printStderr, sanitizeLine } from './terminal/output.ts'
import { whoOption } from './terminal/who-option.ts'
import { withApp } from './with-app.ts'

type AddOptions = {
  digest?: string
  headline: string
  name: string
  place: string
  received: string
  who: string
  anyway?: boolean
  json?: boolean
}
type ListOptions = { digest?: string; printed?: boolean; json?: boolean }

/** Larger than any letter that is printed. */
const maxLetterBytes = 64 * 1024
const maxListed = 1000

export function addLettersCommands(program: Command): void {
  const letters = program.command('letters').description("readers' letters that an editor chose to print")
  letters
    .command('add')
    .description('add a letter for the next edition that has room; a blank line begins a paragraph')
    .argument('<file>', 'its text, or - for standard input')
    .requiredOption('--headline <text>', 'its headline')
    .requiredOption('--name <name>', 'the name to print')
    .option('--place <place>', 'where the writer lives, to print', '')
    .option('--received <day>', 'the day it arrived, such as 2026-11-20; today if absent', '')
    .option('--digest <name>', 'the digest that prints it; not needed if there is only one')
    .option('--who <name>', 'who chose it, for the record', 'operator')
    .option('--anyway', 'even if the same letter waits or was printed')
    .option('--json', 'as JSON')
    .action((file: string, options: AddOptions, command: Command) => withApp(command, (app) => add(app, file, options)))
  letters
    .command('list')
    .description('list the letters that wait for an edition, in the order of printing')
    .option('--digest <name>', 'only those to this digest')
    .option('--printed', 'list the printed ones instead, the newest first')
    .option('--json', 'one JSON line for each letter')
    .action((options: ListOptions, command: Command) => withApp(command, (app) => list(app, options)))
  letters
    .command('withdraw')
    .description('withdraw a waiting letter; its text is erased')
    .argument('<id>', 'as letters list prints it')
    .option(...whoOption)
    .action((id: string, { who }: { who: string }, command: Command) =>
      withApp(command, async (app) => {
        const { headline, digest } = await withdrawPendingLetter(app, id, who)
        print(`${digest}: “${sanitizeLine(headline)}” is withdrawn, and its text erased`)
      }),
    )
}

async function add(
  app: App,
  file: string,
  { json, who, anyway = false, digest: name, ...typed }: AddOptions,
): Promise<void> {
  const digest = namedOrOnlyDigest(app, name)
  const text = await readText(file)
  const added = await addOrExplain(app, digest, { ...typed, text }, { who, anyway })
  if ('problems' in added) throw new AppError('invalid', added.problems.map((one) => problemText(file, one)).join('\n'))
  if (json) printJson({ id: added.id, digest: digest.name })
  else print(`${added.id} waits for the next edition of ${digest.name}`)
}

async function addOrExplain(
  app: App,
  digest: Digest,
  letter: TypedLetter,
  { who, anyway }: { who: string; anyway: boolean },
) {
  try {
    return await createLetter(app, digest, letter, who)
  } catch (error) {
    if (!(error instanceof DuplicateLetter)) throw error
    if (anyway) return await createLetter(app, digest, letter, who, { anyway: error.letter.id })
    throw new AppError(error.code, error.message, { hint: 'To add it anyway, use --anyway.', cause: error })
  }
}

function problemText(file: string, { field, message }: LetterProblem): string {
  return `${field === 'text' ? file : `--${field}`} ${message}`
}

async function readText(file: string): Promise<string> {
  const bytes = await readUpToLimit(file === '-' ? process.stdin : createReadStream(file), file)
  if (bytes.length > maxLetterBytes) throw new AppError('invalid', `${file} is too large for a letter: over 64 KB`)
  if (!isUtf8(bytes)) throw new AppError('invalid', `${file}: expected UTF-8, found another encoding`)
  return bytes.toString('utf8')
}

/** Reads the file until it exceeds the limit. */
async function readUpToLimit(stream: Readable, file: string): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of stream) {
      parts.push(part)
      size += part.length
      if (size > maxLetterBytes) break
    }
  } catch (error) {
    const what = systemCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)
    throw new AppError('missing', `${file}: ${what}`)
  }
  return Buffer.concat(parts)
}

async function list(app: App, options: ListOptions): Promise<void> {
  const { db } = app
  const digest = options.digest === undefined ? undefined : requireDigestName(app, options.digest)
  const state = options.printed ? 'printed' : 'waiting'
  const letters = await lettersOf(db, { digest, state, limit: maxListed })
  if (options.json) for (const letter of letters) printJson(letter)
  else if (letters.length > 0) print(formatTable(letters.map(toRow)))
  if (letters.length === 0)
    printStderr(options.printed ? 'No letters have been printed yet.' : 'No letters wait to be printed.')
}

function toRow({ id, digest, receivedAt, headline, name, place, number }: Letter): string[] {
  const where = number === null ? digest : `${digest}:${number}`
  return [
    id,
    where,
    receivedAt.slice(0, 10),
    sanitizeLine(headline),
    sanitizeLine([name, place].filter(Boolean).join(', ')),
  ]
}
