import type { Command } from 'commander'
import { type App, requireDigest, throwIfRejected } from '../../app.ts'
import { describeSentence } from '../../describe/describe.ts'
import { editionName } from '../../editions/edition.ts'
import { ensureSealed } from '../../editions/ensure-sealed.ts'
import { ApprovalRefused, type Obstacle } from '../../editions/review/approval-rules.ts'
import { approve, overrideObstacles } from '../../editions/review/approve.ts'
import { checkRevisionNumber, currentRevision } from '../../editions/review/revision.ts'
import { AppError } from '../../errors.ts'
import { sendingObstacles } from '../../pipeline/sending/sending-needs.ts'
import { editionById } from '../../store/editions/editions.ts'
import { quarantinedFeeds } from '../../store/ledger/stories.ts'
import type { EditionRow } from '../../store/schema.ts'
import { countActive } from '../../store/subscribers/subscribers.ts'
import { launchProblemLines } from '../checks/launch-settings.ts'
import { confirmSending } from '../terminal/confirm-sending.ts'
import { print, printStderr, sanitizeLine } from '../terminal/output.ts'
import { whoOption } from '../terminal/who-option.ts'
import { configFile, withApp } from '../with-app.ts'
import { findEdition } from './find-edition.ts'
import { sendInForeground } from './send-in-foreground.ts'

type ApproveOptions = { who: string; anyway?: boolean; yes?: boolean; revision?: string }
type SendOptions = { json?: boolean; anyway?: boolean; yes?: boolean }

const anywayOption = ['--anyway', 'even with obstacles; this is recorded'] as const
const yesOption = ['--yes', 'do not ask on a terminal'] as const

/** `edition approve` and `edition send`. */
export function addApproveAndSendCommands(edition: Command, editionArgument: string): void {
  edition
    .command('approve')
    .description('approve a sealed or held edition for sending')
    .argument('<edition>', editionArgument)
    .option(...whoOption)
    .option('--revision <n>', 'only if the edition still has this revision number (see edition show)')
    .option(...anywayOption)
    .option(...yesOption)
    .action((name: string, options: ApproveOptions, command: Command) =>
      withApp(command, async (app) =>
        approveAsOperator(app, await findEdition(app, name), options, configFile(command)),
      ),
    )
  edition
    .command('send')
    .description('send an approved edition in the foreground, or continue one that was interrupted')
    .argument('<edition>', editionArgument)
    .option(...anywayOption)
    .option(...yesOption)
    .option('--json', 'as JSON')
    .action((name: string, options: SendOptions, command: Command) =>
      withApp(command, async (app) => sendAsOperator(app, await findEdition(app, name), options)),
    )
}

async function approveAsOperator(app: App, found: EditionRow, options: ApproveOptions, file: string): Promise<void> {
  throwIfRejected(app, found.digest)
  const digest = app.digests.find(({ name }) => name === found.digest)
  const edition = digest ? await ensureSealed(app, found, digest) : found
  if (edition.sealedAt !== null && edition.sealedAt !== found.sealedAt)
    printStderr(`${editionName(edition)} was sealed again with today's date and settings`)
  if (options.revision !== undefined) await checkRevisionNumber(app.db, edition, readRevision(options.revision))
  const seen = await currentRevision(app.db, edition)
  if (!options.yes && !(await confirmSending(app, edition))) {
    printStderr(`${editionName(edition)} was not approved.`)
    process.exitCode = 1
    return
  }
  try {
    await approve(app, edition.id, options.who, { seen, anyway: options.anyway === true })
  } catch (error) {
    if (!(error instanceof ApprovalRefused)) throw error
    const settingLines = digest ? launchProblemLines(app, digest, file) : []
    const message = settingLines.length > 0 ? refusalMessage(edition, error, settingLines) : error.message
    throw new AppError(error.code, message, { hint: await refusalHint(app, edition, error), cause: error })
  }
  print(`${editionName((await editionById(app.db, edition.id)) ?? edition)} approved`)
  if ((await countActive(app.db, edition.digest)) === 0)
    printStderr(
      `Nobody is subscribed to ${sanitizeLine(edition.digest)}: lastword subscribers import FILE --digest ${edition.digest}`,
    )
}

function readRevision(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new AppError('invalid', `--revision ${text}: expected a number, as edition show says`)
}

/** One line for each obstacle; those of settings with file and line. */
function refusalMessage(edition: EditionRow, { obstacles }: ApprovalRefused, settingLines: string[]): string {
  const others = obstacles.filter(({ code }) => code !== 'setting').map(describeSentence)
  return [`${editionName(edition)} was not approved.`, ...settingLines, ...others].join('\n')
}

/** The commands that remove the obstacles, and the one that approves the edition with them. */
async function refusalHint({ db }: App, { id, digest }: EditionRow, { obstacles }: ApprovalRefused): Promise<string> {
  const has = (wanted: Obstacle['code']) => obstacles.some(({ code }) => code === wanted)
  const feeds = has('no-articles') ? (await quarantinedFeeds(db)).filter((feed) => feed.digest === digest) : []
  const edit = `lastword edition edit ${id}`
  const ways = [
    ...feeds.map(({ url }) => `lastword feeds release ${url}`),
    ...(has('no-articles') ? [`${edit} pin ARTICLE`] : []),
    ...(has('empty-subject') ? [`${edit} subject TEXT`] : []),
  ]
  const how = ways.length > 0 ? ` with ${ways.join(', or ')}` : ''
  return `Fix that first${how}; or approve it anyway: lastword edition approve ${id} --anyway`
}

async function sendAsOperator(app: App, edition: EditionRow, options: SendOptions): Promise<void> {
  const digest = requireDigest(app, edition.digest)
  if (edition.status === 'sent')
    throw new AppError('conflict', `${editionName(edition)} is sent already`, {
      hint: `Who got it: lastword edition show ${edition.id}. The next edition: lastword run ${edition.digest}`,
    })
  if (options.anyway) await overrideObstacles(app, edition.id, 'cli')
  const current = (await editionById(app.db, edition.id)) ?? edition
  const obstacles = await sendingObstacles(app, current)
  if (obstacles.length > 0)
    throw new AppError('conflict', [`${editionName(edition)} is not sent.`, ...obstacles].join('\n'), {
      hint: `Fix that first, or send it anyway: lastword edition send ${edition.id} --anyway`,
    })
  const mayBeSent = current.status === 'approved' || current.status === 'sending'
  if (mayBeSent && !options.yes && !options.json && !(await confirmSending(app, current))) {
    printStderr(`Nothing was sent. ${editionName(edition)} waits.`)
    process.exitCode = 1
    return
  }
  await sendInForeground(app, digest, edition.id, options)
}
