import { type Context, Hono } from 'hono'
import { settingObstaclesOf } from '../../../editions/approval-rules.ts'
import { draftOf } from '../../../editions/compose.ts'
import { articlesIn } from '../../../editions/edition.ts'
import { editEdition, undoEdit } from '../../../editions/edits/edit-edition.ts'
import { itemReference, restoreArticle, retractArticle } from '../../../editions/retract.ts'
import { approve, cancel, resume, stop } from '../../../editions/review.ts'
import { parseRevision, type Revision } from '../../../editions/revision.ts'
import { AppError } from '../../../errors.ts'
import { editionById, historyOf } from '../../../store/editions/editions.ts'
import { requireOwnForm } from '../../csrf.ts'
import { statusOf } from '../../failure.ts'
import { checkId, type Env, editionIdParam, type Fields, readForm, readRawForm, type Web } from '../../response.ts'
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
      applyDecision(web, context, 'pull', async (_, who, fields) => {
        const reason = readReason(fields)
        await retractArticle(app, await itemReference(app.db, checkId(fields.article, 'article')), { who, reason })
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
      }),
    )
    .post(urls.editUndo, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'undo', async (id, staff, fields) => {
        await undoEdit(app, id, Number(fields.number ?? 0), staff, { seen: seenIn(fields) })
      }),
    )
  for (const url of [urls.stop, urls.hold, urls.pause])
    pages.post(url, requireOwnForm(web), (context) =>
      applyDecision(web, context, 'stop', (id, staff, fields) => stop(app, id, staff, readReason(fields))),
    )
  return pages
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
  const staff = context.var.session?.staff ?? ''
  const typed = name === 'edit' ? await readRawForm(context) : await readForm(context)
  try {
    await work(id, staff, typed)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const isDone = error.code === 'conflict' && (await isLastDecision(web, id, staff, historyPatterns[name](typed)))
    if (!isDone) return await showEdition(web, context, { act: name, error, typed, staff }, statusOf(error))
  }
  const done = (await historyOf(web.app.db, id)).findLast((entry) => entry.who === staff)
  return context.redirect(`${web.base}${pathTo(urls.studioEdition, id)}?done=${done?.id ?? ''}`, 303)
}

const never = /(?!)/

/** How each decision stands on record: by that a second press of the same button is told from a decision that comes late. */
const historyPatterns: Record<EditionAction, (fields: Fields) => RegExp> = {
  approve: () => /^approved(:|$)/,
  stop: ({ reason = '' }) => new RegExp(`^(held|paused): ${RegExp.escape(reason)}$`),
  cancel: ({ reason = '' }) => new RegExp(`^cancelled: ${RegExp.escape(reason)}$`),
  resume: () => /^resumed/,
  pull: ({ reason = '' }) => new RegExp(`^retracted: .*: ${RegExp.escape(reason)}(;|$)`),
  restore: () => /^restored: /,
  edit: () => never, // the store ignores the same edit twice
  undo: () => never,
}

/** Whether the newest decision that a person made about the edition is this one, by the same person. */
async function isLastDecision({ app }: Web, id: string, staff: string, line: RegExp): Promise<boolean> {
  const last = (await historyOf(app.db, id)).findLast(({ who }) => who !== 'lastword')
  return last?.who === staff && line.test(last.what)
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
