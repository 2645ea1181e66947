import { isDeepStrictEqual } from 'node:util'
import { describeReason } from '../../describe/describe.ts'
import { AppError } from '../../errors.ts'
import { articlesByIds } from '../../store/articles/articles.ts'
import { lockDigest } from '../../store/digests/digests.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { openStatuses } from '../../store/edition-status.ts'
import { choicesOf } from '../../store/editions/choices.ts'
import { editionById, lockEdition } from '../../store/editions/editions.ts'
import { addEdit, editsOf, markUndone } from '../../store/editions/edits.ts'
import { type NewEvent, person } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import { newId } from '../../store/id.ts'
import { fromJson, toJson } from '../../store/json.ts'
import { ledgerEntry, releaseExpired } from '../../store/ledger/ledger.ts'
import { letterById } from '../../store/letters/letters.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { ComposeNeeds } from '../compose/draft.ts'
import type { Digest } from '../digest.ts'
import { editionName } from '../edition.ts'
import type { RevisionCheck } from '../review/change-status.ts'
import { checkDecisions } from '../review/revision.ts'
import { activeEdits, type Edit, type EditChange, editFromRow, editReason, type OwnPicture } from './edit.ts'
import { type EditContext, readEdit, type TypedEdit } from './read-edit.ts'
import { chooseReopened, reopen } from './reopen.ts'

export type EditNeeds = ComposeNeeds & { digests: Digest[] }

/** Maximum number of edits of one edition, including undone ones; far more than people make by hand. */
const maxEdits = 1000
const maxBlocks = 10

/**
 * Edits an edition before approval: records the edit, unseals the edition and chooses its content again, in one transaction;
 * the same person repeating their last edit changes nothing. Throws AppError `invalid`, `missing` or `conflict`, and
 * EditionChanged if another decision was made since `seen`.
 */
export async function editEdition(
  needs: EditNeeds,
  id: string,
  typed: TypedEdit,
  who: string,
  { seen }: RevisionCheck = {},
): Promise<Edit> {
  return await transaction(needs.db, async (db) => {
    const { edition, digest } = await lockForEdit({ ...needs, db }, id)
    const edits = (await editsOf(db, id)).map(editFromRow)
    refuseUneditable(edition)
    const change = readEdit(typed, await contextOf(db, { edition, digest, edits, now: needs.clock.now() }, typed))
    const last = edits.at(-1)
    if (last && last.undoneAt === null && last.who === who && isSameChange(last, change)) return last
    if (seen) await checkDecisions(db, edition, seen)
    refuseTooMany(edits, change)
    const now = needs.clock.now()
    const made = {
      id: newId(now),
      editionId: id,
      number: edits.length + 1,
      who,
      at: now,
      undoneAt: null,
      undoneBy: null,
    }
    await addEdit(db, { ...made, ...change, data: toJson<object>(change.data) })
    const edit: Edit = { ...made, ...change }
    await applyAgain({ ...needs, db }, edition, digest, editEvent('edition.edited', edit))
    await refuseIneffective(db, digest, id, edit)
    return edit
  })
}

/** Undoes the edit with that number. After an edition is sent, cancelled or skipped, only an `exclude` can be undone. */
export async function undoEdit(
  needs: EditNeeds,
  id: string,
  number: number,
  who: string,
  { seen }: RevisionCheck = {},
): Promise<Edit> {
  return await transaction(needs.db, async (db) => {
    const { edition, digest } = await lockForEdit({ ...needs, db }, id)
    const edit = (await editsOf(db, id)).map(editFromRow).find((one) => one.number === number)
    if (!edit) throw new AppError('missing', `${editionName(edition)} has no change ${number}`)
    if (edit.undoneAt !== null && edit.undoneBy === who) return edit
    if (seen) await checkDecisions(db, edition, seen)
    const now = needs.clock.now()
    const hasEnded = !openStatuses.includes(edition.status)
    if (!(hasEnded && edit.kind === 'exclude')) refuseUneditable(edition)
    if (!(await markUndone(db, edit.id, who, now)))
      throw new AppError('conflict', `${edit.undoneBy} has already undone this change`)
    const event = editEvent('edition.edit_undone', { ...edit, who })
    if (hasEnded) {
      await releaseExpired(db, id, edit.target)
      await addEvent(db, event, now)
    } else await applyAgain({ ...needs, db }, edition, digest, event)
    return { ...edit, undoneAt: now, undoneBy: who }
  })
}

/** The edition and its digest, locked against sealing, choosing and editing until the transaction ends. */
async function lockForEdit({ db, clock, digests }: EditNeeds, id: string) {
  const found = await editionById(db, id)
  if (!found) throw new AppError('missing', `there is no edition ${id}`)
  const digest = digests.find(({ name }) => name === found.digest)
  if (!digest)
    throw new AppError(
      'conflict',
      `${editionName(found)} cannot be changed: the job file of ${found.digest} is missing`,
    )
  await lockDigest(db, digest.name, clock.now())
  return { edition: (await lockEdition(db, id)) ?? found, digest }
}

/** Whether the edition can be edited: it is not approved, and its sending has not begun. */
export function canEdit({ status, approvedAt, audienceAt }: EditionRow): boolean {
  return ['composed', 'sealed', 'held'].includes(status) && approvedAt === null && audienceAt === null
}

function refuseUneditable(edition: EditionRow): void {
  if (canEdit(edition)) return
  const { status, audienceAt } = edition
  const name = editionName(edition)
  if (!openStatuses.includes(status))
    throw new AppError('conflict', `${name} is ${status}: it cannot be changed any more`, {
      hint: 'Change the next edition, or print a correction in it.',
    })
  if (status === 'sending' || status === 'paused' || audienceAt !== null)
    throw new AppError('conflict', `${name} is being sent: what people have got cannot be changed`, {
      hint: 'Cancel it to stop the rest, or print a correction in the next edition.',
    })
  if (status === 'approved')
    throw new AppError('conflict', `${name} is approved, and cannot be changed now`, {
      hint: 'Put it on hold first, which withdraws the approval. Then change it, and approve it again.',
    })
}

function refuseTooMany(edits: Edit[], change: EditChange): void {
  if (edits.length >= maxEdits) throw new AppError('conflict', `this edition has ${maxEdits} changes already`)
  const blocks = new Set(activeEdits(edits).flatMap(({ kind, target }) => (kind === 'block' ? [target] : [])))
  if (change.kind === 'block' && blocks.add(change.target).size > maxBlocks)
    throw new AppError('conflict', `this edition has ${maxBlocks} blocks already`)
}

function isSameChange(edit: Edit, change: EditChange): boolean {
  const isNewBlock = edit.kind === 'block' && change.kind === 'block' // each block has a different id
  return (
    edit.kind === change.kind &&
    (edit.target === change.target || isNewBlock) &&
    isDeepStrictEqual(edit.data, change.data)
  )
}

/** The event for the edition's history; `edit.who` made or undid the change. */
function editEvent(kind: 'edition.edited' | 'edition.edit_undone', edit: Edit): NewEvent {
  const data = { number: edit.number, change: editReason(edit) }
  return { kind, actor: person(edit.who), edition: edit.editionId, data }
}

/** Unseals the edition, records the event and chooses again. AppError `conflict` if the edition would become too short. */
async function applyAgain(needs: EditNeeds, edition: EditionRow, digest: Digest, event: NewEvent): Promise<void> {
  await reopen(needs, edition)
  await addEvent(needs.db, event, needs.clock.now())
  const chosen = await chooseReopened(needs, edition, digest, { onlyKnown: true })
  if (chosen.status !== 'skipped') return
  const { also: _, ...shortage } = chosen.reason ? fromJson(chosen.reason) : ({ code: 'no-articles' } as Reason)
  throw new AppError('conflict', `then the edition would be too short: ${describeReason(shortage)}`, {
    hint: 'Pin another article first, or cancel the edition.',
  })
}

type EditedEdition = { edition: EditionRow; digest: Digest; edits: Edit[]; now: string }

/** The edition's context for an edit of the target. Throws AppError if the edition has no such target. */
async function contextOf(
  db: Db,
  { edition, digest, edits, now }: EditedEdition,
  { kind, target = '' }: TypedEdit,
): Promise<EditContext> {
  const sections = digest.sections.map(({ name }) => name)
  const context = { headline: '', section: '', sections, newId: newId(now) }
  if (!['pin', 'move', 'drop', 'exclude', 'reword', 'picture'].includes(kind)) {
    if (kind !== 'block') return context
    refuseUnknownBlock(edits, target)
    const current = currentEdit(edits, { kind, target })
    return { ...context, block: current?.kind === 'block' ? current.data : undefined }
  }
  const { headline, feedUrl, picture } = await itemToEdit(db, kind, target)
  const choice = (await choicesOf(db, edition.id)).find(({ itemId }) => itemId === target)
  const isPlaced = kind === 'pin' || kind === 'move'
  if (!isPlaced && !choice) throw new AppError('conflict', `“${headline}” is not in ${editionName(edition)}`)
  if ((kind === 'reword' || kind === 'picture') && choice?.position == null)
    throw new AppError('conflict', `“${headline}” is not included in ${editionName(edition)}`)
  const home = digest.sections.find(({ feeds }) => feedUrl !== null && feeds.includes(feedUrl))?.name ?? ''
  const current = currentEdit(edits, { kind: 'picture', target })
  return {
    ...{ ...context, headline, section: choice?.section || home },
    picture: current?.kind === 'picture' ? current.data.picture : picture,
  }
}

function currentEdit(edits: Edit[], { kind, target }: { kind: EditChange['kind']; target: string }): Edit | undefined {
  return activeEdits(edits).findLast((edit) => edit.kind === kind && edit.target === target)
}

/** The headline, feed and picture of an article or letter; a letter has no feed and no picture. */
async function itemToEdit(
  db: Db,
  kind: TypedEdit['kind'],
  id: string,
): Promise<{ headline: string; feedUrl: string | null; picture: OwnPicture | null }> {
  const [article] = await articlesByIds(db, [id])
  if (article) {
    const { title, url, feedUrl, image } = article
    return { headline: title || url, feedUrl, picture: image && { url: image.url, alt: image.alt } }
  }
  const letter = await letterById(db, id)
  if (!letter) throw new AppError('missing', 'there is no such article')
  if (kind !== 'drop')
    throw new AppError('conflict', `“${letter.headline}” is a reader’s letter`, {
      hint: 'Change or withdraw it on the page of letters; an edition can only drop it.',
    })
  return { headline: letter.headline, feedUrl: null, picture: null }
}

function refuseUnknownBlock(edits: Edit[], target: string): void {
  if (target === '') return
  if (!edits.some(({ kind, target: block }) => kind === 'block' && block === target))
    throw new AppError('missing', 'there is no such block')
}

/** Throws AppError `conflict`, with the reason, if a pinned or moved article is not included. */
async function refuseIneffective(db: Db, digest: Digest, id: string, edit: Edit): Promise<void> {
  if (edit.kind !== 'pin' && edit.kind !== 'move') return
  const { headline, section } = edit.data
  const choices = await choicesOf(db, id)
  const choice = choices.find(({ itemId }) => itemId === edit.target)
  if (choice?.position == null) {
    const reason = choice ? describeReason(choice.reason) : await ledgerReason(db, digest, edit.target)
    throw new AppError('conflict', `“${headline}” cannot be included: ${reason}`)
  }
  const maximum = digest.sections.find(({ name }) => name === section)?.maximum ?? 0
  const held = choices.filter((one) => one.position !== null && one.section === section).length
  if (held > maximum)
    throw new AppError('conflict', `${section} holds at most ${maximum}, and ${held - 1} are pinned there already`, {
      hint: 'Take back one of them first.',
    })
}

async function ledgerReason(db: Db, digest: Digest, articleId: string): Promise<string> {
  const entry = await ledgerEntry(db, digest.name, articleId)
  if (!entry) return `it is in no feed of ${digest.name}`
  if (entry.editionId !== null) return `it is in edition ${entry.number ?? `of ${entry.dueAt}`} already`
  return 'it is older than what editions are made from'
}
