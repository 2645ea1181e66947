import { type Context, Hono } from 'hono'
import { draftOf } from '../../../editions/compose/draft.ts'
import { articlesIn } from '../../../editions/edition.ts'
import { editEdition, undoEdit } from '../../../editions/edits/edit-edition.ts'
import { sealEdited } from '../../../editions/ensure-sealed.ts'
import { itemReference, restoreArticle, retractArticle } from '../../../editions/retract.ts'
import { settingObstaclesOf } from '../../../editions/review/approval-rules.ts'
import { approve } from '../../../editions/review/approve.ts'
import { cancel } from '../../../editions/review/cancel.ts'
import { resume, stop } from '../../../editions/review/pause.ts'
import { isDecision, parseRevision, type Revision } from '../../../editions/review/revision.ts'
import { denyDuplicate } from '../../../editions/stories/possible-duplicates.ts'
import { AppError } from '../../../errors.ts'
import { editionById } from '../../../store/editions/editions.ts'
import { type PastEvent, person } from '../../../store/events/event.ts'
import { editionEvents } from '../../../store/events/events.ts'
import type { Reason } from '../../../store/events/reason.ts'
import { second } from '../../../time/clock.ts'
import { requireOwnForm } from '../../csrf.ts'
import { isDatabaseUnavailable, withTimeout } from '../../deadline.ts'
import { statusOf } from '../../failure.ts'
import {
  checkId,
  type Env,
  editionIdParam,
  type Fields,
  readForm,
  readRawForm,
  staffOf,
  type Web,
} from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'
import { showApproval } from './edition-approval.ts'
import type { EditionAction } from './edition-controls.ts'
import { typedEdit } from './edition-edits.ts'
import { showEdition } from './edition-page.ts'

/** An editor's decisions about an edition. Each redirects to the edition's page, which says what happened. */
export function editionActions(web: Web): Hono<Env> {
  const { app } = web
  const pages = new Hono<Env>()
    .get(urls.approval, (context) => showApproval(web, context, context.req.query('seen')))
    .post(urls.approval, requireOwnForm(web), async (context) => {
      const { confirm, seen, anyway } = await readForm(context)
      if (confirm !== 'yes' || seen === undefined) return await showApproval(web, context, seen)
      return await applyDecision(web, context, 'approve', (id, staff) =>
        approveSeen(web, id, staff, { seen: parseRevision(seen), anyway: anyway === 'yes' }),
      )
    })
    .post(urls.cancellation, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'cancel', (id, staff, fields) => {
        const reason = readConfirmedReason(fields, unconfirmedCancelMessage)
        return cancel(app, id, staff, reason, { seen: seenIn(fields) })
      }),
    )
    .post(urls.resumption, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'resume', (id, staff, fields) =>
        resume(app, id, staff, { anyway: fields.anyway === 'yes', seen: seenIn(fields) }),
      ),
    )
    .post(urls.retraction, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'pull', async (id, who, fields) => {
        const reason = readReason(fields)
        await retractArticle(app, await itemReference(app.db, checkId(fields.article, 'article')), { who, reason })
        await makePreview(web, id)
      }),
    )
    .post(urls.restoration, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'restore', async (_, who, { article }) =>
        restoreArticle(app, await itemReference(app.db, checkId(article, 'article')), who),
      ),
    )
    .post(urls.edits, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'edit', async (id, staff, fields) => {
        const typed = typedEdit(fields, await printedWording(web, id, fields.article))
        await editEdition(app, id, typed, staff, { seen: seenIn(fields) })
        await makePreview(web, id)
      }),
    )
    .post(urls.duplicates, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'edit', (id, staff, { article }) =>
        denyDuplicate(app, id, checkId(article, 'article'), staff),
      ),
    )
    .post(urls.editUndo, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'undo', async (id, staff, fields) => {
        await undoEdit(app, id, Number(fields.number ?? 0), staff, { seen: seenIn(fields) })
        await makePreview(web, id)
      }),
    )
  for (const url of [urls.stop, urls.hold, urls.pause])
    pages.post(url, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'stop', (id, staff, fields) => stop(app, id, staff, readReason(fields))),
    )
  return pages
}

/** Pages of articles are checked before the seal; after this time the page is shown without a preview. */
const maxPreviewWaitMs = 15 * second

/** Seals an edition that the decision unsealed, for its new preview. If it takes too long, sealing continues after the answer. */
async function makePreview({ app }: Web, id: string): Promise<void> {
  try {
    await withTimeout(maxPreviewWaitMs, sealEdited(app, id))
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error // the decision is stored, and the page says that there is no preview yet
  }
}

/** The current wording of an article; undefined if it is not included. */
async function printedWording({ app }: Web, id: string, article: string | undefined) {
  const edition = await editionById(app.db, id)
  const digest = app.digests.find(({ name }) => name === edition?.digest)
  const draft = digest && article !== undefined ? await draftOf(app, id, digest) : undefined
  return articlesIn(draft?.sections ?? []).find((one) => one.id === article)
}

/** `anyway` overrides obstacles of the edition, never those of the settings. */
async function approveSeen(
  { app }: Web,
  id: string,
  staff: string,
  { seen, anyway }: { seen: Revision; anyway: boolean },
): Promise<void> {
  const edition = anyway ? await editionById(app.db, id) : undefined
  const obstacles = edition ? await settingObstaclesOf(app, edition) : []
  await approve(app, id, staff, { seen, anyway: anyway && obstacles.length === 0 })
}

type DecisionHandler = (id: string, staff: string, fields: Fields) => Promise<void>

async function applyDecision(
  web: Web,
  context: Context<Env>,
  name: EditionAction,
  work: DecisionHandler,
): Promise<Response> {
  const id = editionIdParam(context)
  const staff = staffOf(context)
  const typed = name === 'edit' ? await readRawForm(context) : await readForm(context)
  try {
    await work(id, staff, typed)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const isDone =
      error.code === 'conflict' && (await isLastDecision(web, id, staff, (event) => isSameDecision[name](event, typed)))
    if (!isDone) return await showEdition(web, context, { act: name, error, typed, staff }, statusOf(error))
  }
  const done = (await editionEvents(web.app.db, id)).findLast(({ actor }) => actor === person(staff))
  return context.redirect(`${web.base}${pathTo(urls.studioEdition, id)}?done=${done?.id ?? ''}`, 303)
}

/** Whether an event is the same decision, made by pressing a button twice. */
const isSameDecision: Record<EditionAction, (event: PastEvent, fields: Fields) => boolean> = {
  approve: ({ kind }) => kind === 'edition.approved',
  stop: (event, { reason = '' }) =>
    (event.kind === 'edition.held' || event.kind === 'edition.paused') && isByHand(event.data.reason, reason),
  cancel: (event, { reason = '' }) => event.kind === 'edition.cancelled' && isByHand(event.data.reason, reason),
  resume: ({ kind }) => kind === 'edition.resumed',
  pull: (event, { reason = '' }) => event.kind === 'edition.article_retracted' && event.data.words === reason,
  restore: ({ kind }) => kind === 'edition.article_restored',
  edit: () => false, // `editEdition` accepts the same edit twice
  undo: () => false,
}

function isByHand(reason: Reason, words: string): boolean {
  return reason.code === 'by-hand' && reason.words === words
}

/** Whether the newest decision that a person made about the edition is this one, by the same person. */
async function isLastDecision(
  { app }: Web,
  id: string,
  staff: string,
  isSame: (event: PastEvent) => boolean,
): Promise<boolean> {
  const last = (await editionEvents(app.db, id)).findLast(isDecision)
  return last !== undefined && last.actor === person(staff) && isSame(last)
}

const maxReasonLength = 500
const unconfirmedCancelMessage = 'please tick the box: you can’t undo a cancellation'

/** The revision that the form's page showed; AppError `conflict` for a form without one. */
function seenIn({ seen }: Fields): Revision {
  if (seen !== undefined) return parseRevision(seen)
  throw new AppError('conflict', 'your page was out of date', { hint: 'Look at the edition below and decide again.' })
}

function readReason({ reason = '' }: Fields): string {
  if (reason === '') throw new AppError('invalid', 'please give a reason', { hint: 'Your colleagues will see it.' })
  return reason.slice(0, maxReasonLength)
}

export function readConfirmedReason(fields: Fields, unconfirmed: string): string {
  const reason = readReason(fields)
  if (fields.confirm === 'yes') return reason
  throw new AppError('invalid', unconfirmed)
}
