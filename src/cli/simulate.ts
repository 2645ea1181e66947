import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type App, requireDigest } from '../app.ts'
import { describeReason, reasonWithText } from '../describe/describe.ts'
import { chosenOnly, itemOf } from '../editions/choice/choice.ts'
import { dryRunDraft } from '../editions/compose/draft.ts'
import type { Digest } from '../editions/digest.ts'
import { applyEdits } from '../editions/edits/apply-edits.ts'
import { type SimulatedEdition, simulate } from '../editions/simulation/simulate.ts'
import { AppError, messageOf } from '../errors.ts'
import { withoutKey } from '../messages/message-template.ts'
import { print, printJson, sanitizeLine } from './terminal/output.ts'
import { withApp } from './with-app.ts'

type Options = { weeks: string; out?: string; json?: boolean }

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .summary("run past weeks again with today's rules; nothing is stored")
    .description(
      "run past weeks again with today's rules, and print the editions that would have been sent; nothing is stored. Quarantined articles count as new",
    )
    .argument('<digest>', 'the name of a file in jobs/')
    .option('--weeks <number>', 'number of past weeks', '8')
    .option('--out <dir>', 'write index.html of each edition to this folder')
    .option('--json', 'one JSON line for each edition')
    .action((name: string, options: Options, command: Command) =>
      withApp(command, (app) => simulateDigest(app, requireDigest(app, name), options)),
    )
}

async function simulateDigest(app: App, digest: Digest, options: Options): Promise<void> {
  const weeks = Number(options.weeks)
  if (!Number.isInteger(weeks) || weeks < 1 || weeks > 520)
    throw new AppError('invalid', `--weeks ${options.weeks}: expected a whole number from 1 to 520`)
  const { editions, byDate, forgotten } = await simulate(app.db, digest, weeks, app.clock.now())
  for (const edition of editions) {
    const file = options.out === undefined ? null : await writeEdition(app, digest, edition, options.out)
    if (options.json) printJson(toJson(edition, file))
    else printEdition(digest, edition, file)
  }
  if (options.json) return
  print(summary(editions, weeks))
  if (byDate) print(byDateMessage)
  if (forgotten > 0) print(forgottenText(forgotten))
}

function forgottenText(count: number): string {
  const articles = count === 1 ? '1 article of this time was' : `${count} articles of this time were`
  return `${articles} deleted (articles.keep): real editions may have had other articles.`
}

const byDateMessage =
  'No edition has been sent yet, so the articles of the first fetch of a feed count from their own dates.'

/** Renders the edition into a folder named by its date, and returns the file; null for skipped editions. */
async function writeEdition(
  app: App,
  digest: Digest,
  { number, dueAt, choices, edits }: SimulatedEdition,
  out: string,
): Promise<string | null> {
  if (number === null) return null
  const draft = applyEdits(await dryRunDraft(app, digest, { dueAt, number, choices, corrections: [] }), edits)
  const { html } = await app.render(draft)
  const folder = join(out, dueAt.slice(0, 16).replaceAll(':', ''))
  const file = join(folder, 'index.html')
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(file, withoutKey(html, draft.slot))
  } catch (error) {
    throw new AppError('unavailable', `${file} cannot be written: ${messageOf(error)}`)
  }
  return file
}

function toJson({ number, dueAt, status, reason, choices }: SimulatedEdition, file: string | null) {
  const choicesJson = choices.map((choice) => {
    const { title, url } = itemOf(choice)
    return { title, url, section: choice.section, position: choice.position, reason: reasonWithText(choice.reason) }
  })
  return {
    number,
    dueAt,
    status,
    reason: reason && reasonWithText(reason),
    chosen: chosenOnly(choices).length,
    choices: choicesJson,
    file,
  }
}

function printEdition(
  digest: Digest,
  { number, dueAt, status, reason, choices }: SimulatedEdition,
  file: string | null,
): void {
  const state = status === 'waiting' ? 'waits for approval' : status
  const why = reason === null ? '' : `: ${describeReason(reason)}`
  print(sanitizeLine(`${digest.name}${number === null ? '' : ` ${number}`}, due ${dueAt}: ${state}${why}`))
  for (const section of digest.sections) {
    const chosen = chosenOnly(choices).filter((choice) => choice.section === section.name)
    if (chosen.length > 0 && number !== null) print(`  ${section.name}: ${chosen.length}`)
    if (number !== null)
      for (const choice of chosen) print(`    ${choice.position}  ${sanitizeLine(itemOf(choice).title)}`)
  }
  if (file) print(`  ${file}`)
}

function summary(editions: SimulatedEdition[], weeks: number): string {
  const count = (status: SimulatedEdition['status']) => editions.filter((one) => one.status === status).length
  const made =
    count('waiting') > 0
      ? `${count('waiting')} would have waited for approval`
      : `${count('sent')} would have been sent`
  return `${editions.length} runs in ${weeks} weeks: ${made}, ${count('held')} would have been held for an editor (too few articles), ${count('skipped')} would have been skipped. Nothing was stored.`
}
