import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { App } from '../../../app.ts'
import { rulesOf } from '../../../deliveries/limits/rules.ts'
import { whyWaiting } from '../../../deliveries/limits/why-waiting.ts'
import { describeDone, describeLine, describeReason, describeSentence } from '../../../describe/describe.ts'
import { canEdit } from '../../../editions/edits/edit-edition.ts'
import { sealFailure } from '../../../editions/seal-failure.ts'
import { htmlBytes, sizeProblem } from '../../../editions/size.ts'
import { AppError } from '../../../errors.ts'
import { withoutKey } from '../../../messages/message-template.ts'
import { countDeliveries } from '../../../store/deliveries/deliveries.ts'
import { editionById } from '../../../store/editions/editions.ts'
import type { PastEvent } from '../../../store/events/event.ts'
import { editionEvents } from '../../../store/events/events.ts'
import type { Reason } from '../../../store/events/reason.ts'
import { fromJson, type Json } from '../../../store/json.ts'
import type { EditionRow } from '../../../store/schema.ts'
import { deliveryView, editionTitle, momentFormatter } from '../../format.ts'
import { type Env, editionIdParam, renderPage, type Web } from '../../response.ts'
import { framePolicy, previewPolicy } from '../../security.ts'
import { pathTo, urls } from '../../urls.ts'
import { correctedText, editionCorrections } from '../corrections/correction-view.ts'
import { defaultVariant } from '../public/archive.ts'
import { articlesOf } from './edition-articles.ts'
import { controlsOf, type RefusalView, refusalView } from './edition-controls.ts'
import { editView } from './edition-edits.ts'
import { historyItem, isInResultingState, nameFor } from './edition-history.ts'
import { withSectionTitles } from './section-titles.ts'

/** The pages of one edition: its articles with reasons, its preview and its progress. */
export function studioEditionPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.studioEdition, (context) => showEdition(web, context))
    .get(urls.preview, (context) => showPreview(web, context))
    .get(urls.progress, (context) => showProgress(web, context))
}

/** A refused decision and who made it. */
export type RefusedDecision = Parameters<typeof refusalView>[1]

export async function showEdition(
  web: Web,
  context: Context<Env>,
  declined?: RefusedDecision,
  code: ContentfulStatusCode = 200,
): Promise<Response> {
  const { app, base } = web
  const { edition, digest } = await findEdition(web, context)
  const titled = <Fact extends Reason | PastEvent>(fact: Fact | Json<Fact>) => withSectionTitles(fact, digest)
  const moment = momentFormatter(digest?.zone)
  const variant = await defaultVariant(app, edition.id)
  const name = editionTitle(edition, digest)
  const link = (url: Parameters<typeof pathTo>[0]) => base + pathTo(url, edition.id)
  const staff = context.var.session?.staff
  const history = await editionEvents(app.db, edition.id)
  const done = history.find((entry) => entry.id === context.req.query('done'))
  const failure = sealFailure(edition, history)
  const counts = await countDeliveries(app.db, edition.id)
  const controls = await controlsOf(web, edition, counts)
  const refused = declined && refusalView(web, declined, controls, digest)
  const { phone, text } = previewMode(context)
  const page = passedOverPage(context)
  const typedEdit = refused?.act === 'edit' ? refused.typed : undefined
  const { forms, ...edits } = await editView(web, edition, digest, { staff, typed: typedEdit })
  const articles = await articlesOf(app, edition, digest, { typed: typedRetraction(refused), page, forms })
  const passedLink = (number: number) => `${link(urls.studioEdition)}?passed=${number}#passed`
  const view = {
    title: refused ? `Not done: ${name}` : [edition.subject, name].filter(Boolean).join(' · '),
    name,
    subject: edition.subject,
    preheader: edition.preheader,
    due: moment(edition.dueAt),
    reason: edition.reason ? describeLine(titled(edition.reason)) : '',
    failure: failure ? describeReason(titled(failure)) : '',
    size: variant && sizeSentence(htmlBytes(variant), edition.reason),
    done: done ? [describeDone(titled(done), nameFor(done, staff))] : [],
    meaningNow: done ? await meaningAfter(app, edition, done, controls.status.meaning) : '',
    previewTitle: previewTitle(edition),
    history: history.map((entry) => historyItem(titled(entry), moment(entry.at))),
    ...articles,
    ...edits,
    passedBefore: page > 1 ? passedLink(page - 1) : '',
    passedAfter: articles.hasMorePassed ? passedLink(page + 1) : '',
    corrections: await editionCorrections(web, edition.id),
    corrected: await correctedText(web, context.req.query('corrected'), staff),
    deliveries: deliveryView(counts),
    seal: variant ? [{ sha256: variant.sha256, at: moment(variant.sealedAt) }] : [],
    look: { phone, text, desktop: !phone && !text },
    refused: refused ? [refused] : [],
    typed: { stop: typedIn(refused, 'stop'), cancel: typedIn(refused, 'cancel') },
    ...controls,
    links: {
      ...controls.links,
      self: link(urls.studioEdition),
      preview: link(urls.preview),
      progress: link(urls.progress),
      retraction: link(urls.retraction),
      restoration: link(urls.restoration),
      edits: link(urls.edits),
      editUndo: link(urls.editUndo),
      duplicates: link(urls.duplicates),
    },
  }
  return renderPage(web, context, 'studio-edition', view, code)
}

/** What follows from the person's decision: the status if it is still the one that the decision gave, or the new preview. */
async function meaningAfter(app: App, edition: EditionRow, done: PastEvent, meaning: string): Promise<string> {
  if (isEdit(done) && canEdit(edition) && edition.sealedAt !== null) return 'The preview shows this change.'
  if (!isInResultingState(edition, done)) return ''
  const isWaiting =
    edition.status === 'approved' && (await whyWaiting(app, edition, rulesOf(app, edition.digest))).length > 0
  return isWaiting ? '' : meaning
}

function isEdit({ kind }: PastEvent): boolean {
  return kind === 'edition.edited' || kind === 'edition.edit_undone'
}

function previewTitle({ status }: EditionRow): string {
  if (status === 'sent') return 'As it was sent'
  return status === 'cancelled' || status === 'skipped' ? 'As it was made' : 'Email preview'
}

/** The sealed bytes, as the archive shows them. */
async function showPreview(web: Web, context: Context<Env>): Promise<Response> {
  const { edition } = await findEdition(web, context)
  const variant = await defaultVariant(web.app, edition.id)
  if (!variant) throw new AppError('missing', 'there is no preview yet: the email has not been made')
  context.header('Content-Security-Policy', previewPolicy)
  if (previewMode(context).text) return context.text(withoutKey(variant.text, variant.slot))
  return context.html(withoutKey(variant.html, variant.slot))
}

/**
 * The part of the page that updates itself, in a frame, so that a reload loses neither focus nor a half-written reason.
 * It has buttons only once the edition has stopped; updates can be paused (WCAG 2.2, 2.2.2).
 */
async function showProgress(web: Web, context: Context<Env>): Promise<Response> {
  const { edition, digest } = await findEdition(web, context)
  const counts = await countDeliveries(web.app.db, edition.id)
  const controls = await controlsOf(web, edition, counts)
  const isLive = controls.isOut && context.req.query('live') !== 'no'
  context.header('Content-Security-Policy', framePolicy)
  const waits = await whyWaiting(web.app, edition, rulesOf(web.app, edition.digest))
  const isBusy = waits.length === 0 && (edition.status === 'approved' || counts.queued + counts.sending > 0)
  if (isLive) context.header('Refresh', isBusy ? '2' : '30')
  return renderPage(web, context, 'progress', {
    title: 'Status and progress',
    ...controls,
    reason: controls.isOut || !edition.reason ? '' : describeLine(withSectionTitles(edition.reason, digest)),
    deliveries: deliveryView(counts),
    waits: waits.map(describeLine),
    isLive,
    self: web.base + pathTo(urls.progress, edition.id),
    page: web.base + pathTo(urls.studioEdition, edition.id),
  })
}

async function findEdition({ app }: Web, context: Context<Env>) {
  const edition = await editionById(app.db, editionIdParam(context))
  if (!edition) throw new AppError('missing', 'there is no such edition')
  return { edition, digest: app.digests.find((one) => one.name === edition.digest) }
}

/** Which page of the articles that are not included, from 1. */
function passedOverPage(context: Context<Env>): number {
  return Math.min(10_000, Math.max(1, Number.parseInt(context.req.query('passed') ?? '1', 10) || 1))
}

function previewMode(context: Context<Env>) {
  const view = context.req.query('view')
  return { phone: view === 'phone', text: view === 'text' }
}

function typedRetraction(refused: RefusalView | undefined) {
  if (refused?.act !== 'pull') return { article: '', reason: '' }
  return { article: refused.typed.article ?? '', reason: refused.typed.reason ?? '' }
}

function typedIn(refused: RefusalView | undefined, act: RefusalView['act']) {
  const isOpen = refused?.act === act
  return {
    open: isOpen,
    reason: isOpen ? (refused.typed.reason ?? '') : '',
    confirmed: isOpen && refused.typed.confirm === 'yes',
  }
}

/** A sentence about the size of the email; empty if there is no problem, or the reason says it. */
function sizeSentence(bytes: number, reason: EditionRow['reason']): string {
  const problem = sizeProblem(bytes)
  if (problem === undefined || (reason && fromJson(reason).code === problem.code)) return ''
  return describeSentence(problem)
}
