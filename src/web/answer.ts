import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { App } from '../app.ts'
import { AppError } from '../errors.ts'
import type { Pages } from './page.ts'

/** What the pages stand on. `base` is the path part of `web.url`. */
export type Web = { app: App; pages: Pages; base: string }

/** Who is signed in. `csrf` stands in every form of theirs. */
export type Session = { hash: string; staff: string; csrf: string }

/** `brake` says in words that it is on, to who is signed in. */
export type Env = { Variables: { session: Session | undefined; brake: string | undefined } }

/** Answers with a page. */
export function show<View extends { title: string }>(
  { app, pages, base }: Web,
  context: Context<Env>,
  page: string,
  view: View,
  status: ContentfulStatusCode = 200,
): Response {
  const { name, site: url, contact } = app.config.publication
  const { staff = '', csrf = '' } = context.var.session ?? {}
  const { brake = '' } = context.var
  return context.html(pages.fill(page, view, { site: { name, url, contact }, base, staff, csrf, brake }), status)
}

/** A page that says in words what happened and what to do. */
export function say(
  web: Web,
  context: Context<Env>,
  status: ContentfulStatusCode,
  words: { title: string; text: string[]; command?: string },
): Response {
  return show(web, context, 'message', { command: '', ...words }, status)
}

export type Fields = Record<string, string>

/** The fields of a form, urlencoded or multipart, as plain text. What cannot be read as a form has none. */
export async function readForm(context: Context<Env>): Promise<Fields> {
  const body = await context.req.parseBody().catch(() => ({}))
  const entries = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(entries.map(([name, value]) => [name, plainLine(value)]))
}

/** One field of a form as it was typed, with its lines. It is cleaned by whoever reads it. */
export async function readText(context: Context<Env>, name: string): Promise<string> {
  const body: Record<string, unknown> = await context.req.parseBody().catch(() => ({}))
  return typeof body[name] === 'string' ? body[name] : ''
}

/** One line without control characters, which PostgreSQL would refuse (U+0000) and nobody can see. */
function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}

/** The id in the path; AppError `missing` for what cannot be one. */
export function editionIdOf(context: Context<Env>): string {
  const id = context.req.param('id') ?? ''
  if (/^[0-9a-f-]{36}$/.test(id)) return id
  throw new AppError('missing', 'there is no such edition')
}
