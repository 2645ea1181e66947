import type { App } from '../../app.ts'
import { describeReason } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { editionName } from '../../editions/edition.ts'
import { periodMsAt } from '../../editions/schedule/due-runs.ts'
import { AppError } from '../../errors.ts'
import { openStatuses } from '../../store/edition-status.ts'
import { editionByNumber, editionsByStatus } from '../../store/editions/editions.ts'
import type { EditionRow } from '../../store/schema.ts'
import { msBetween } from '../../time/clock.ts'
import { sanitizeLine } from '../terminal/output.ts'
import { nextStep } from './next-step.ts'

/** A person has to decide before it is sent. */
const needsDecision = ({ status }: EditionRow) => status === 'held' || status === 'paused'

/**
 * The edition that `run` continues: the one with this number, the one being sent, or the only one waiting; undefined if
 * none is open. AppError `conflict` if a person has to choose: several wait, one is older than the time between two
 * editions, or one needs a decision first.
 */
export async function editionToContinue(
  app: App,
  digest: Digest,
  number: number | undefined,
): Promise<EditionRow | undefined> {
  if (number !== undefined) return await findOpenByNumber(app, digest, number)
  const open = await editionsByStatus(app.db, openStatuses, digest.name)
  const sending = open.find(({ status }) => status === 'sending')
  if (sending) return sending
  const [only, ...others] = open
  if (!only) return undefined
  if (others.length > 0) throw choiceRequired(digest, open, `${open.length} editions of ${digest.name} wait`)
  if (needsDecision(only)) throw await decisionRequired(app, only)
  if (isOld(app, digest, only))
    throw choiceRequired(digest, open, `${editionName(only)} has waited longer than the time between two editions`)
  return only
}

async function findOpenByNumber(app: App, digest: Digest, number: number): Promise<EditionRow> {
  const edition = await editionByNumber(app.db, digest.name, number)
  if (!edition) throw new AppError('missing', `there is no edition ${digest.name} ${number}`)
  if (needsDecision(edition)) throw await decisionRequired(app, edition)
  if (openStatuses.includes(edition.status)) return edition
  throw new AppError('conflict', `${editionName(edition)} is ${edition.status}: nothing is left to send`)
}

async function decisionRequired(app: App, edition: EditionRow): Promise<AppError> {
  const instead = `Or make another one: lastword run ${edition.digest} --new`
  const hint = `${await nextStep(app, edition)} ${instead}${edition.heldBy === null ? ', which takes its place' : ''}.`
  return new AppError(
    'conflict',
    `${editionName(edition)} waits for an editor (${edition.reason ? describeReason(edition.reason) : edition.status})`,
    { hint },
  )
}

function choiceRequired({ name }: Digest, open: EditionRow[], what: string): AppError {
  const lines = open.map(
    (edition) =>
      `  ${editionName(edition)}: ${edition.status}, due ${edition.dueAt}${edition.subject ? `, “${sanitizeLine(edition.subject)}”` : ''}`,
  )
  return new AppError('conflict', [`${what}:`, ...lines].join('\n'), {
    hint: `Send one by its number: lastword run ${name} --edition ${open.at(-1)?.number ?? 'N'}. Or make a new one with the articles of the waiting ones: lastword run ${name} --new. Editions held by a person do not change.`,
  })
}

/** Whether the next edition is already due. */
function isOld({ clock }: App, digest: Digest, { dueAt }: EditionRow): boolean {
  return msBetween(dueAt, clock.now()) >= periodMsAt(digest, dueAt)
}
