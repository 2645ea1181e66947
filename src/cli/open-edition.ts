import type { App } from '../app.ts'
import { between } from '../clock.ts'
import type { Digest } from '../editions/digest.ts'
import { periodAt } from '../editions/due.ts'
import { editionName } from '../editions/edition.ts'
import { AppError } from '../errors.ts'
import { editionByNumber, editionsIn } from '../store/editions.ts'
import type { EditionRow, EditionStatus } from '../store/schema.ts'
import { nextStep } from './next-step.ts'
import { safe } from './output.ts'

const openStatuses: EditionStatus[] = ['composed', 'sealed', 'approved', 'sending', 'held']

/**
 * The edition that `run` continues: the one with that number, one that is being sent, or the only one that waits. Undefined:
 * none is open, and a new one is to be made. AppError `conflict` names those that wait where a person has to choose:
 * there are several, one is older than the time between two editions, or somebody has to decide about it first.
 */
export async function editionToContinue(
  app: App,
  digest: Digest,
  number: number | undefined,
): Promise<EditionRow | undefined> {
  if (number !== undefined) return await numbered(app, digest, number)
  const open = await editionsIn(app.db, openStatuses, digest.name)
  const sending = open.find(({ status }) => status === 'sending')
  if (sending) return sending
  const [only, ...others] = open
  if (!only) return undefined
  if (others.length > 0) throw toChoose(digest, open, `${open.length} editions of ${digest.name} wait`)
  if (only.status === 'held') throw await toDecide(app, only)
  if (isOld(app, digest, only))
    throw toChoose(digest, open, `${editionName(only)} waits for longer than the time between two editions`)
  return only
}

async function numbered(app: App, digest: Digest, number: number): Promise<EditionRow> {
  const edition = await editionByNumber(app.db, digest.name, number)
  if (!edition) throw new AppError('missing', `there is no edition ${digest.name} ${number}`)
  if (edition.status === 'held') throw await toDecide(app, edition)
  if (openStatuses.includes(edition.status)) return edition
  throw new AppError('conflict', `${editionName(edition)} is ${edition.status}: nothing of it is left to send`)
}

async function toDecide(app: App, edition: EditionRow): Promise<AppError> {
  const instead = `Or make another one: lastword run ${edition.digest} --new`
  const hint = `${await nextStep(app, edition)} ${instead}${edition.heldBy === null ? ', which takes its place' : ''}.`
  return new AppError('conflict', `${editionName(edition)} waits for an editor (${edition.reason ?? 'held'})`, { hint })
}

function toChoose({ name }: Digest, open: EditionRow[], what: string): AppError {
  const lines = open.map(
    (edition) =>
      `  ${editionName(edition)}: ${edition.status}, due ${edition.dueAt}${edition.subject ? `, “${safe(edition.subject)}”` : ''}`,
  )
  return new AppError('conflict', [`${what}:`, ...lines].join('\n'), {
    hint: `Send one by its number: lastword run ${name} --edition ${open.at(-1)?.number ?? 'N'}. Or make a new one, which takes over what the waiting ones hold: lastword run ${name} --new. Editions that somebody holds stay as they are.`,
  })
}

/** Whether the edition after it should have been due by now. */
function isOld({ clock }: App, digest: Digest, { dueAt }: EditionRow): boolean {
  return between(dueAt, clock.now()) >= periodAt(digest, dueAt)
}
