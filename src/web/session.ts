import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import { brakeNow } from '../store/deliveries/brake.ts'
import { type FormOwner, removeKeptForm } from '../store/staff/kept-forms.ts'
import { findSession } from '../store/staff/staff.ts'
import { sessionToken } from './cookie.ts'
import { momentFormatter } from './format.ts'
import { saveTypedForm } from './kept-forms.ts'
import { type Env, isId, readForm, renderMessage, type Session, type StopBanner, type Web } from './response.ts'
import { urls } from './urls.ts'

/** Lets in who is signed in; anybody else gets a page that says how. What they typed is kept. */
export function requireStaff(web: Web): MiddlewareHandler<Env> {
  return async (context, next) => {
    const session = await readSession(web, context)
    if (!session) return await showSignInRequired(web, context)
    context.set('session', session)
    context.set('brake', await stopBanner(web.app))
    await next()
  }
}

async function stopBanner({ db }: Web['app']): Promise<StopBanner | undefined> {
  const brake = await brakeNow(db)
  return (
    brake && { id: brake.id, message: `Since ${momentFormatter()(brake.at).text}, by ${brake.who}: ${brake.reason}` }
  )
}

/**
 * Refuses a change that does not come from a form of this session: a token in the form, and what the browser says about
 * the page that sent it. Stands behind `staffOnly`. A form of an earlier session of the same browser is kept and shown
 * again: another tab has signed in since. Where that was somebody else it is kept, and not shown to them.
 */
export function requireOwnForm(web: Web): MiddlewareHandler<Env> {
  return async (context, next) => {
    const { session } = context.var
    const { csrf = '', keptForm } = await readForm(context)
    if (!session || isForeignOrigin(context, web.app.config.web.url)) throw foreignFormError()
    if (!isEqualInConstantTime(csrf, session.csrf)) {
      const staff = staffInCsrfToken(csrf)
      const isOwnPage = context.req.header('Sec-Fetch-Site') === 'same-origin'
      if (!isOwnPage || staff === undefined) throw foreignFormError()
      const isKept = await saveTypedForm(web, context, { hash: session.hash, staff })
      if (staff !== session.staff) throw otherStaffError(staff, session.staff)
      if (isKept) return context.redirect(web.base + urls.keptForms, 303)
      throw foreignFormError()
    }
    await next()
    if (isId(keptForm) && context.res.status < 400) await removeKeptForm(web.app.db, session, keptForm)
  }
}

function foreignFormError(): AppError {
  return new AppError('forbidden', 'for your safety nothing was changed: this did not come from a page of yours', {
    hint: 'Go back, reload the page and try again.',
  })
}

function otherStaffError(staff: string, signedIn: string): AppError {
  return new AppError('forbidden', `nothing was changed: ${staff} opened this form, and ${signedIn} is signed in now`, {
    hint: `Open the page again to do it as ${signedIn}.`,
  })
}

/** Refuses what a browser sent from a page of somebody else, a sibling sub-domain among them (Fetch Metadata, `Sec-Fetch-Site`). */
export const requireSameSite: MiddlewareHandler<Env> = async (context, next) => {
  if (context.req.method === 'POST' && isFromOtherSite(context)) throw otherSiteError()
  await next()
}

/** A client that is no browser does not say, and may. */
export function isFromOtherSite(context: Context<Env>): boolean {
  const site = context.req.header('Sec-Fetch-Site')
  return site === 'cross-site' || site === 'same-site'
}

export function otherSiteError(): AppError {
  return new AppError('forbidden', 'nothing was changed: another site sent this', {
    hint: 'Open the link in your email and try again there.',
  })
}

/** The hash that we keep of a token which somebody else keeps. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** The session of the browser that asks, if it has one that lasts. */
export async function readSession(web: Web, context: Context<Env>): Promise<Session | undefined> {
  const token = sessionToken(web, context)
  if (!token) return undefined
  const { app, sessionUse } = web
  const hash = hashToken(token)
  const session = await findSession(app.db, hash, app.clock.now())
  if (!session) return undefined
  sessionUse.record(session)
  return { hash, staff: session.staff, csrf: csrfToken(app.secret, { hash, staff: session.staff }) }
}

/** The token of the forms of a session: who is signed in, and a keyed hash of that and of the session. */
function csrfToken(secret: string, { hash, staff }: FormOwner): string {
  const proof = createHmac('sha256', secret).update(`csrf\n${hash}\n${staff}`).digest('base64url')
  return `${Buffer.from(staff).toString('base64url')}.${proof}`
}

/** Who was signed in, by what the token of a form says; undefined for a text that is none. */
function staffInCsrfToken(csrf: string): string | undefined {
  const [, name] = /^([\w-]+)\.[\w-]+$/.exec(csrf) ?? []
  return name && Buffer.from(name, 'base64url').toString()
}

async function showSignInRequired(web: Web, context: Context<Env>): Promise<Response> {
  const token = sessionToken(web, context)
  const kept = token !== undefined && (await saveFormOfEndedSession(web, context, hashToken(token)))
  context.header('WWW-Authenticate', 'Session realm="studio"')
  const { contact } = web.app.config.publication
  const how = `To sign in, ask whoever runs Lastword here (${contact}) for a sign-in link, and open it in this browser. They make one with this command:`
  return renderMessage(web, context, 401, {
    title: 'Please sign in',
    text: kept
      ? [
          'Your session has ended, so nothing was changed. We kept what you typed: it is here again when you have signed in.',
          how,
        ]
      : [`This page is for editors. ${token ? 'Your session has ended' : 'You are not signed in'}.`, how],
    command: 'lastword staff link',
  })
}

/**
 * Keeps what was typed into a form of a session that has ended, for whoever was signed in with it. The token of the form
 * is made from that of the cookie and from the name, so it shows to whom we gave this form in this browser: nobody who was never signed in can have anything kept.
 */
async function saveFormOfEndedSession(web: Web, context: Context<Env>, hash: string): Promise<boolean> {
  if (context.req.method !== 'POST' || isForeignOrigin(context, web.app.config.web.url)) return false
  const { csrf = '' } = await readForm(context)
  const staff = staffInCsrfToken(csrf)
  if (staff === undefined || !isEqualInConstantTime(csrf, csrfToken(web.app.secret, { hash, staff }))) return false
  return await saveTypedForm(web, context, { hash, staff })
}

/**
 * Sec-Fetch-Site decides where a browser sends it; else Origin. Our own pages send `Origin: null`, because of
 * `Referrer-Policy: no-referrer` (Fetch §3.2), so that `null` says nothing, and the token decides alone.
 */
function isForeignOrigin(context: Context<Env>, webUrl: string): boolean {
  const site = context.req.header('Sec-Fetch-Site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = context.req.header('Origin')
  if (origin === undefined || origin === 'null') return false
  return ![new URL(webUrl).host, context.req.header('Host')].includes(URL.parse(origin)?.host)
}

function isEqualInConstantTime(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}
