import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { App } from '../app.ts'
import { translate } from '../describe/translate.ts'
import { AppError } from '../errors.ts'
import type { Pages } from './page.ts'
import type { SessionUse } from './session-use.ts'
import { isStaffPath } from './urls.ts'

/** What the pages need. `base` is the path part of `web.url`. */
export type Web = {
  app: App
  pages: Pages
  base: string
  sessionUse: SessionUse
  /** A page waits this long for the database, then answers 503. */
  maxStoreWaitMs: number
}

/** The session of signed-in staff. `csrf` is in each of their forms. */
export type Session = { hash: string; staff: string; csrf: string }

/** Shown to staff while all sending is stopped; `id` is the row of `brakes`. */
export type StopBanner = { id: string; message: string }

export type Env = { Variables: { session: Session | undefined; sendingStop: StopBanner | undefined } }

/** The name of the signed-in staff. AppError `forbidden` without a session, which `requireStaff` rules out. */
export function staffOf(context: Context<Env>): string {
  const { session } = context.var
  if (session) return session.staff
  throw new AppError('forbidden', 'you are not signed in')
}

/** Renders a page in the language of its view, which pages for readers of one digest have, or else in `pageLanguage`. */
export function renderPage<View extends { title: string; language?: string }>(
  web: Web,
  context: Context<Env>,
  page: string,
  view: View,
  status: ContentfulStatusCode = 200,
): Response {
  const { app, pages, base } = web
  const { name, site: url, contact } = app.config.publication
  const { language = pageLanguage(web, context) } = view
  const { staff = '', csrf = '' } = context.var.session ?? {}
  const { id: sendingStopId, message: sendingStop } = context.var.sendingStop ?? { id: '', message: '' }
  const layout = { language, site: { name, url, contact }, base, staff, csrf, sendingStop, sendingStopId }
  return context.html(pages.render(page, view, layout), status)
}

/** Pages for staff are in English, the others in the language of the publication. */
export function pageLanguage({ app, base }: Web, { req }: Context<Env>): string {
  return isStaffPath(req.path, base) ? 'en-GB' : app.config.publication.language
}

/** A page with a message only: what happened and what to do. */
export function renderMessage(
  web: Web,
  context: Context<Env>,
  status: ContentfulStatusCode,
  message: { title: string; text: string[]; language?: string },
): Response {
  return renderPage(web, context, 'message', message, status)
}

/** The texts of a message for readers, by their keys in the group `page`; `{contact}` is always known. */
export function translateMessage(
  { app }: Web,
  language: string,
  { title, text }: { title: string; text: string[] },
  values: Record<string, unknown> = {},
): { language: string; title: string; text: string[] } {
  const all = { contact: app.config.publication.contact, ...values }
  const translateKey = (key: string) => translate(language, `page.${key}`, all)
  return { language, title: translateKey(title), text: text.map(translateKey) }
}

export type Fields = Record<string, string>

/** The fields of a form, urlencoded or multipart, each as one line; empty for a body that is no form. */
export async function readForm(context: Context<Env>): Promise<Fields> {
  const entries = Object.entries(await readRawForm(context))
  return Object.fromEntries(entries.map(([name, value]) => [name, plainLine(value)]))
}

/** The fields of a form as typed, with line breaks. */
export async function readRawForm(context: Context<Env>): Promise<Fields> {
  const body = await context.req.parseBody().catch(() => ({}))
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** One field of a form as typed, with line breaks. The caller cleans it. */
export async function readRawField(context: Context<Env>, name: string): Promise<string> {
  return (await readRawForm(context))[name] ?? ''
}

/** The text as one line without control characters; PostgreSQL refuses U+0000. */
function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}

/** Whether a text is a UUID in lower case (RFC 9562 §4), as all our ids are. */
export function isId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

/** The text as an id; AppError `missing` naming `what` for any other text. */
export function checkId(text: string | undefined, what: string): string {
  if (isId(text)) return text
  throw new AppError('missing', `there is no such ${what}`)
}

/** The id in the path; AppError `missing` naming `what` for any other text. */
export function idParam(context: Context<Env>, what: string): string {
  return checkId(context.req.param('id'), what)
}

/** The edition id in the path; AppError `missing` for any other text. */
export function editionIdParam(context: Context<Env>): string {
  return idParam(context, 'edition')
}
