import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { rulesOf } from '../deliveries/rules.ts'
import { whyWaiting } from '../deliveries/waits.ts'
import { AppError } from '../errors.ts'
import { withoutKey } from '../messages/letter.ts'
import { countDeliveries } from '../store/deliveries.ts'
import { editionById, historyOf } from '../store/editions.ts'
import { pulledIn } from '../store/pulls.ts'
import { type Env, editionIdOf, type Fields, show, type Web } from './answer.ts'
import { variantAll } from './archive.ts'
import { correctedWords, editionCorrections } from './correction-view.ts'
import { abilitiesOf, articlesOf } from './edition-view.ts'
import { framePolicy, previewPolicy } from './security.ts'
import { pathTo, urls } from './urls.ts'
import { deliveryView, editionTitle, momentWriter, statusView } from './words.ts'

/** One edition for its editors: what it holds and why, how it will look, and how far it has got. */
export function studioEditionPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.studioEdition, (context) => showEdition(web, context))
    .get(urls.preview, (context) => preview(web, context))
    .get(urls.progress, (context) => progress(web, context))
}

export type Act = 'approve' | 'hold' | 'cancel' | 'pause' | 'resume' | 'pull' | 'restore'

/** A change that could not be made: why, and what the editor had typed, which is shown again. */
export type Refused = { act: Act; message: string; hint: string; typed: Fields }

export async function showEdition(
  web: Web,
  context: Context<Env>,
  refused?: Refused,
  code: ContentfulStatusCode = 200,
): Promise<Response> {
  const { app, base } = web
  const { edition, digest } = await find(web, context)
  const moment = momentWriter(digest?.zone)
  const variant = await variantAll(app, edition.id)
  const name = editionTitle(edition, digest)
  const link = (url: Parameters<typeof pathTo>[0]) => base + pathTo(url, edition.id)
  const history = (await historyOf(app.db, edition.id)).map((entry) => ({ ...entry, at: moment(entry.at) }))
  const done = history.find((entry) => entry.id === context.req.query('done'))
  const { phone, text } = lookOf(context)
  const view = {
    title: refused ? `Not done: ${name}` : edition.subject ? `${edition.subject} · ${name}` : name,
    name,
    subject: edition.subject,
    preheader: edition.preheader,
    due: moment(edition.dueAt),
    status: statusView(edition),
    reason: edition.reason ?? '',
    isOut: edition.status === 'approved' || edition.status === 'sending',
    done: done ? [doneWords(done.what, done.who === context.var.session?.staff ? 'You' : done.who)] : [],
    history,
    ...(await articlesOf(app, edition, digest, pullTyped(refused))),
    pulled: (await pulledIn(app.db, edition.id)).map(({ title }) => `“${title}”`).join(', '),
    corrections: await editionCorrections(web, edition.id),
    corrected: await correctedWords(web, context.req.query('corrected'), context.var.session?.staff),
    deliveries: deliveryView(await countDeliveries(app.db, edition.id)),
    seal: variant ? [{ sha256: variant.sha256, at: moment(variant.sealedAt) }] : [],
    look: { phone, text, desktop: !phone && !text },
    may: abilitiesOf(edition),
    refused: refused ? [refused] : [],
    typed: { hold: typedIn(refused, 'hold'), cancel: typedIn(refused, 'cancel'), pause: typedIn(refused, 'pause') },
    links: {
      self: link(urls.studioEdition),
      preview: link(urls.preview),
      progress: link(urls.progress),
      approval: link(urls.approval),
      hold: link(urls.hold),
      cancellation: link(urls.cancellation),
      pause: link(urls.pause),
      resumption: link(urls.resumption),
      pull: link(urls.pull),
      restoration: link(urls.restoration),
      archive: link(urls.edition),
    },
  }
  return show(web, context, 'studio-edition', view, code)
}

/** The sealed bytes, as the archive will have them. */
async function preview(web: Web, context: Context<Env>): Promise<Response> {
  const { edition } = await find(web, context)
  const variant = await variantAll(web.app, edition.id)
  if (!variant) throw new AppError('missing', 'there is nothing to see: this edition is not sealed')
  context.header('Content-Security-Policy', previewPolicy)
  if (lookOf(context).text) return context.text(withoutKey(variant.text, variant.slot))
  return context.html(withoutKey(variant.html, variant.slot))
}

/**
 * The part of the page that brings itself up to date, in a frame of its own, so that neither focus nor a half-written
 * reason is lost. It can be stopped (WCAG 2.2, 2.2.2).
 */
async function progress(web: Web, context: Context<Env>): Promise<Response> {
  const { edition } = await find(web, context)
  const counts = await countDeliveries(web.app.db, edition.id)
  const isOut = edition.status === 'approved' || edition.status === 'sending'
  const isLive = isOut && context.req.query('live') !== 'no'
  context.header('Content-Security-Policy', framePolicy)
  const deliveries = deliveryView(counts)
  const reasons = await whyWaiting(web.app, edition, rulesOf(web.app, edition.digest))
  const waits = reasons.map((reason) => reason.replace(/^[a-z](?=[a-z-]* )/, (letter) => letter.toUpperCase()))
  const status = statusView(edition)
  const isBusy = waits.length === 0 && (edition.status === 'approved' || counts.queued + counts.sending > 0)
  if (isLive) context.header('Refresh', isBusy ? '2' : '30')
  const self = web.base + pathTo(urls.progress, edition.id)
  const page = web.base + pathTo(urls.studioEdition, edition.id)
  return show(web, context, 'progress', {
    title: 'How far it has got',
    status,
    deliveries,
    waits,
    isOut,
    isLive,
    self,
    page,
  })
}

async function find({ app }: Web, context: Context<Env>) {
  const edition = await editionById(app.db, editionIdOf(context))
  if (!edition) throw new AppError('missing', 'there is no such edition')
  return { edition, digest: app.digests.find((one) => one.name === edition.digest) }
}

function lookOf(context: Context<Env>) {
  const view = context.req.query('view')
  return { phone: view === 'phone', text: view === 'text' }
}

/** The record of what was done, as a sentence: it is read from the history, so that it cannot say what did not happen. */
function doneWords(what: string, who: string): string {
  const [, act = what, reason = ''] = /^(\w+)(?:: (.*))?$/.exec(what) ?? []
  const words: Record<string, string> = {
    approved: `${who} approved it.`,
    held: `${who} held it back: ${reason}`,
    cancelled: `${who} cancelled it: ${reason}`,
    paused: `${who} paused it: ${reason}`,
    resumed: `${who} resumed the sending${reason ? ` ${reason}` : ''}.`,
    pulled: `${who} pulled ${reason}.`,
    restored: `${who} restored ${reason}.`,
  }
  return words[act] ?? `${who}: ${what}`
}

function pullTyped(refused: Refused | undefined) {
  if (refused?.act !== 'pull') return { article: '', reason: '' }
  return { article: refused.typed.article ?? '', reason: refused.typed.reason ?? '' }
}

function typedIn(refused: Refused | undefined, act: Refused['act']) {
  const isOpen = refused?.act === act
  return {
    open: isOpen,
    reason: isOpen ? (refused.typed.reason ?? '') : '',
    confirmed: isOpen && refused.typed.confirm === 'yes',
  }
}
