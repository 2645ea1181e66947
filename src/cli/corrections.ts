import type { Command } from 'commander'
import { type App, requireDigestName } from '../app.ts'
import { describeReason, reasonWithText } from '../describe/describe.ts'
import {
  acceptCorrection,
  dismissCorrection,
  reopenCorrection,
  statusText,
  suggestedText,
  withdrawCorrection,
} from '../editions/corrections/decide.ts'
import { isMinor } from '../editions/corrections/minor.ts'
import { AppError } from '../errors.ts'
import type { CorrectionNote } from '../feeds/markup/correction-note.ts'
import { pageContext, readInWorker } from '../feeds/parse/reader-pool.ts'
import type { Fetcher } from '../http/fetcher.ts'
import {
  type CorrectionView,
  correctionById,
  latestCorrections,
  waitingCorrections,
} from '../store/corrections/corrections.ts'
import { lazyFetcher, readSource } from './feeds/read-source.ts'
import { print, printJson, sanitizeLine } from './terminal/output.ts'
import { whoOption } from './terminal/who-option.ts'
import { withApp } from './with-app.ts'

type Json = { json?: boolean }
type Decision = Json & { who: string; words?: string; reason?: string }
type CorrectionAction = (app: App, id: string, decision: Decision) => Promise<void>

const maxListed = 200

export function addCorrectionsCommands(program: Command): void {
  const corrections = program.command('corrections').description('review corrections to sent editions')
  corrections
    .command('list')
    .description('list the corrections that wait for an editor or for the next edition')
    .argument('[digest]', 'only those of this digest')
    .option(
      '--all',
      `also rewordings, developing stories, and printed, dismissed and obsolete ones; the newest ${maxListed}`,
    )
    .option('--json', 'one JSON line for each correction')
    .action((digest: string | undefined, options: Json & { all?: boolean }, command: Command) =>
      withApp(command, (app) => list(app, digest, options)),
    )
  const addDecision = (name: string, description: string, act: CorrectionAction) =>
    corrections
      .command(name)
      .description(description)
      .argument('<id>', 'as lastword corrections list prints it')
      .option(...whoOption)
      .option('--json', 'as JSON')
      .action((id: string, options: Decision, command: Command) => decide(command, id, act, options))
  addDecision('accept', 'print it in the next edition, and note it in the archive', (app, id, { who, words }) =>
    acceptCorrection(app, id, who, words),
  ).option('--words <text>', 'the text for readers, if not the suggested one')
  addDecision('dismiss', 'do not print it, and never propose it again', (app, id, { who }) =>
    dismissCorrection(app, id, who),
  )
  addDecision('reopen', 'undo a decision before an edition includes the correction', (app, id, { who }) =>
    reopenCorrection(app, id, who),
  )
  addDecision(
    'withdraw',
    'withdraw an accepted correction that was wrong, even if it was printed; the archive shows this',
    withdraw,
  ).requiredOption('--reason <text>', 'why; shown in the history and for readers')
  corrections
    .command('test')
    .description('print the headline and the correction note found on pages; nothing is saved')
    .argument('<source...>', 'http(s) address or file')
    .option('--json', 'one JSON line for each source')
    .action(testPages)
}

const withdraw: CorrectionAction = (app, id, { who, reason = '' }) => withdrawCorrection(app, id, who, reason)

async function list(app: App, digest: string | undefined, options: Json & { all?: boolean }) {
  const { db } = app
  if (digest !== undefined) requireDigestName(app, digest)
  const rows = options.all ? await latestCorrections(db, digest, maxListed) : await waitingCorrections(db, digest)
  const shown = options.all ? rows : rows.filter((row) => !isMinor(row))
  for (const row of shown) options.json ? printJson(correctionJson(row)) : print(correctionText(row))
  if (options.json) return
  if (shown.length === 0) print('No corrections to review.')
  if (shown.length < rows.length)
    print(
      `Other changes (${rows.length - shown.length}): reworded headlines and stories that went on. --all lists them.`,
    )
}

function decide(command: Command, id: string, action: CorrectionAction, decision: Decision): Promise<void> {
  return withApp(command, async (app) => {
    await action(app, id, decision)
    const correction = await correctionById(app.db, id)
    if (!correction) throw new AppError('internal', `the correction ${id} is gone`)
    if (decision.json) printJson(correctionJson(correction))
    else print(correctionText(correction))
  })
}

/** A correction for JSON output, with its reasons as data and in words. */
export function correctionJson(correction: CorrectionView) {
  const { evidence, undoneWhy } = correction
  const reasons = { evidence: reasonWithText(evidence), undoneWhy: undoneWhy && reasonWithText(undoneWhy) }
  return { ...correction, ...reasons, suggested: suggestedText(correction), standing: statusText(correction) }
}

function correctionText(correction: CorrectionView): string {
  const { id, digest, number, said, evidence, url } = correction
  const text = correction.words ?? suggestedText(correction)
  const lines = [
    `${id}  ${digest} ${number}  ${statusText(correction)}${isMinor(correction) ? ` (${correction.class})` : ''}`,
    `  said: ${said}`,
    `  right: ${text}`,
    `  found: ${describeReason(evidence)}; ${url}`,
  ]
  return lines.map(sanitizeLine).join('\n')
}

async function testPages(sources: string[], options: Json, command: Command): Promise<void> {
  const fetcher = lazyFetcher(command)
  for (const source of sources) {
    const tested = await testPage(source, fetcher)
    if (options.json) printJson(tested)
    else printPageTest(tested)
    if (tested.error !== null) process.exitCode = 1
  }
  await fetcher.close()
}

/** `watched`: the page says that it is an article, so changes of the headline are detected. */
type PageTest = {
  source: string
  headline: string
  watched: boolean
  note: CorrectionNote | null
  error: string | null
}

async function testPage(source: string, fetcher: Pick<Fetcher, 'get'>): Promise<PageTest> {
  try {
    const page = await readSource(source, fetcher, 'text/html, */*;q=0.5')
    const read = await readInWorker('state', page.bytes, pageContext(page))
    if ('failed' in read) return { source, headline: '', watched: false, note: null, error: read.failed }
    return { source, headline: read.title, watched: read.isArticle && read.title !== '', note: read.note, error: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { source, headline: '', watched: false, note: null, error: error.message }
  }
}

const notWatchedReason = 'the page does not say that it is an article (og:type "article", or structured data)'

function printPageTest({ source, headline, watched, note, error }: PageTest): void {
  const day = note?.on ? ` (of ${note.on})` : ''
  const why = watched || headline === '' ? '' : `\n  not watched: ${notWatchedReason}`
  const found = `${sanitizeLine(headline) || 'no headline'}${why}\n  ${note ? sanitizeLine(note.text) + day : 'no correction note'}`
  print(`${source}: ${error === null ? found : sanitizeLine(error)}`)
}
