import { type Context, Hono } from 'hono'
import type { App } from '../../../app.ts'
import { archiveRules, isPublic } from '../../../editions/archive.ts'
import { runsAfter } from '../../../editions/schedule/due-runs.ts'
import { AppError } from '../../../errors.ts'
import { withoutKey } from '../../../messages/message-template.ts'
import { countDeliveries, mayHaveArrived } from '../../../store/deliveries/counts.ts'
import { archivedEditions, editionById } from '../../../store/editions/editions.ts'
import { variantsOf } from '../../../store/editions/variants.ts'
import type { EditionRow, EditionStatus } from '../../../store/schema.ts'
import { editionTitle, momentFormatter } from '../../format.ts'
import { type Env, editionIdParam, renderPage, type Web } from '../../response.ts'
import { archivePolicy } from '../../security.ts'
import { readSession } from '../../session.ts'
import { pathTo, urls } from '../../urls.ts'
import { archiveNotes } from './archive-notes.ts'

const publishedStates: EditionStatus[] = ['approved', 'sending', 'sent']
const maxEditions = 100

/** The public pages: the front page and each sent edition. */
export function archivePages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.front, (context) => showFront(web, context))
    .get(urls.edition, (context) => showEdition(web, context))
    .get(urls.asSent, (context) => showAsSent(web, context))
}

async function showFront(web: Web, context: Context<Env>): Promise<Response> {
  const { db, config, digests } = web.app
  const sent = await archivedEditions(db, { ...archiveRules(digests), limit: maxEditions })
  const { name, tagline, address, language } = config.publication
  const editions = sent.map((row) => {
    const digest = digests.find((one) => one.name === row.digest)
    return {
      href: web.base + pathTo(urls.edition, row.id),
      subject: row.subject,
      name: editionTitle(row, digest),
      due: momentFormatter(digest?.zone, language)(row.datedAt ?? row.dueAt),
    }
  })
  const postal = address.trim().split('\n')
  return renderPage(web, context, 'front', { title: name, tagline, postal, digests: digestViews(web.app), editions })
}

function digestViews({ digests, clock, config }: App) {
  const listed = digests.filter(({ archive }) => archive === 'on')
  return listed.map((digest) => {
    const moment = momentFormatter(digest.zone, config.publication.language)
    return { title: digest.title, next: runsAfter(digest, clock.now(), 1).map(moment) }
  })
}

/** The page behind "view in browser": the sealed bytes, with a note above them for each correction. */
async function showEdition(web: Web, context: Context<Env>): Promise<Response> {
  const { row, html } = await loadPublished(web, context)
  const notes = await archiveNotes(web, row)
  return context.html(notes === '' ? html : insertNotes(html, notes))
}

/** The sealed bytes without notes, slots emptied. */
async function showAsSent(web: Web, context: Context<Env>): Promise<Response> {
  return context.html((await loadPublished(web, context)).html)
}

/** AppError `missing` for an edition that is not public, except for editors. */
async function loadPublished(web: Web, context: Context<Env>): Promise<{ row: EditionRow; html: string }> {
  const { app } = web
  const row = await editionById(app.db, editionIdParam(context))
  const isOpen = row !== undefined && isPublic(row, app.digests)
  const mayRead = row && (await isPublished(app, row)) && (isOpen || (await readSession(web, context)))
  const variant = mayRead ? await defaultVariant(app, row.id) : undefined
  if (!row || !variant)
    throw new AppError('missing', 'there is no such edition', { hint: 'It may not have been sent yet.' })
  context.header('Content-Security-Policy', archivePolicy)
  if (isOpen) context.header('Cache-Control', 'public, max-age=60')
  return { row, html: withoutKey(variant.html, variant.slot) }
}

/** A paused or cancelled edition keeps its page if a person may have the link to it. */
async function isPublished({ db }: App, { id, status }: EditionRow): Promise<boolean> {
  if (status === 'paused' || status === 'cancelled') return mayHaveArrived(await countDeliveries(db, id))
  return publishedStates.includes(status)
}

/** Inserts the notes at the start of the body; the bytes of the email do not change. */
function insertNotes(html: string, notes: string): string {
  const start = /<body\b[^>]*>/i.exec(html)
  const at = start ? start.index + start[0].length : 0
  return html.slice(0, at) + notes + html.slice(at)
}

/** The variant with all sections; undefined before the edition is sealed. */
export async function defaultVariant({ db }: App, editionId: string) {
  return (await variantsOf(db, editionId)).find((variant) => variant.name === 'all')
}
