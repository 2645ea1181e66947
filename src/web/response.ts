import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { App } from '../app.ts'
import { AppError } from '../errors.ts'
import type { Pages } from './page.ts'
import type { SessionUse } from './session-use.ts'

/** What the pages stand on. `base` is the path part of `web.url`. */
export type Web = {
  app: App
  pages: Pages
  base: string
  sessionUse: SessionUse
  /** How long a reader waits for the database before the page says that it does not answer. */
  maxStoreWaitMs: number
}

/** Who is signed in. `csrf` stands in every form of theirs. */
export type Session = { hash: string; staff: string; csrf: string }

/** While all sending is stopped: by which row of `brakes`, and why, for who is signed in. */
export type StopBanner = { id: string; message: string }

export type Env = { Variables: { session: Session | undefined; brake: StopBanner | undefined } }

/** Answers with a page. */
export function renderPage<View extends { title: string }>(
  { app, pages, base }: Web,
  context: Context<Env>,
  page: string,
  view: View,
  status: ContentfulStatusCode = 200,
): Response {
  const { name, site: url, contact } = app.config.publication
  const { staff = '', csrf = '' } = context.var.session ?? {}
  const { id: brakeId, message: brake } = context.var.brake ?? { id: '', message: '' }
  return context.html(
    pages.render(page, view, { site: { name, url, contact }, base, staff, csrf, brake, brakeId }),
    status,
  )
}

/** A page that says in words what happened and what to do. */
export function renderMessage(
  web: Web,
  context: Context<Env>,
  status: ContentfulStatusCode,
  message: { title: string; text: string[]; command?: string },
): Response {
  return renderPage(web, context, 'message', { command: '', ...message }, status)
}

export type Fields = Record<string, string>

/** The fields of a form, urlencoded or multipart, as plain text. What cannot be read as a form has none. */
export async function readForm(context: Context<Env>): Promise<Fields> {
  const entries = Object.entries(await readRawForm(context))
  return Object.fromEntries(entries.map(([name, value]) => [name, plainLine(value)]))
}

/** The fields of a form as they were typed, with their lines. */
export async function readRawForm(context: Context<Env>): Promise<Fields> {
  const body = await context.req.parseBody().catch(() => ({}))
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** One field of a form as it was typed, with its lines. It is cleaned by whoever reads it. */
export async function readRawField(context: Context<Env>, name: string): Promise<string> {
  return (await readRawForm(context))[name] ?? ''
}

/** One line without control characters, which PostgreSQL would refuse (U+0000) and nobody can see. */
function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}

/** Whether a text from an address or a form can be an id: a UUID (RFC 9562 §4), as we write them. */
export function isId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

/** The text as an id; AppError `missing`, which names `what`, for one that cannot be. */
export function checkId(text: string | undefined, what: string): string {
  if (isId(text)) return text
  throw new AppError('missing', `there is no such ${what}`)
}

/** The id in the path; AppError `missing` for what cannot be one. */
export function idParam(context: Context<Env>, what: string): string {
  return checkId(context.req.param('id'), what)
}

/** The id of an edition in the path; AppError `missing` for what cannot be one. */
export function editionIdParam(context: Context<Env>): string {
  return idParam(context, 'edition')
}
