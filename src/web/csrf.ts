import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import { type FormOwner, removeKeptForm } from '../store/staff/kept-forms.ts'
import { saveTypedForm } from './kept-forms.ts'
import { type Env, isId, readForm, type Session, type Web } from './response.ts'
import { urls } from './urls.ts'

/**
 * Accepts a POST only with the CSRF token of this session and from our own origin; else AppError `forbidden`. Use it
 * after `requireStaff`.
 */
export function requireOwnForm(web: Web): MiddlewareHandler<Env> {
  return async (context, next) => {
    const { session } = context.var
    const { csrf = '', keptForm } = await readForm(context)
    if (!session || isForeignOrigin(context, web.app.config.web.url)) throw foreignFormError()
    if (!isEqualInConstantTime(csrf, session.csrf)) return await keepEarlierForm(web, context, session, csrf)
    await next()
    if (isId(keptForm) && context.res.status < 400) await removeKeptForm(web.app.db, session, keptForm)
  }
}

/**
 * Keeps a form of an earlier session of this browser and redirects to it: another tab has signed in since. A form of
 * another editor is kept for that editor and refused; so is any other form.
 */
async function keepEarlierForm(web: Web, context: Context<Env>, session: Session, csrf: string): Promise<Response> {
  const staff = staffInCsrfToken(csrf)
  if (staff === undefined || context.req.header('Sec-Fetch-Site') !== 'same-origin') throw foreignFormError()
  const isKept = await saveTypedForm(web, context, { hash: session.hash, staff })
  if (staff !== session.staff) throw otherStaffError(staff, session.staff)
  if (!isKept) throw foreignFormError()
  return context.redirect(web.base + urls.keptForms, 303)
}

function foreignFormError(): AppError {
  return new AppError('forbidden', 'for your safety nothing was changed', { hint: 'Reload the page and try again.' })
}

function otherStaffError(staff: string, signedIn: string): AppError {
  return new AppError('forbidden', `nothing was changed: ${staff} opened this form, but ${signedIn} is signed in now`, {
    hint: `To do it as ${signedIn}, open the page again.`,
  })
}

/** Accepts a POST only from a page of our own: for forms that are shown without a session. */
export function requireOwnOrigin(web: Web): MiddlewareHandler<Env> {
  return async (context, next) => {
    if (isForeignOrigin(context, web.app.config.web.url)) throw foreignFormError()
    await next()
  }
}

/** Refuses a POST that a browser sends from another site or a sibling sub-domain (Fetch Metadata, `Sec-Fetch-Site`). */
export const requireSameSite: MiddlewareHandler<Env> = async (context, next) => {
  if (context.req.method === 'POST' && isFromOtherSite(context)) throw otherSiteError()
  await next()
}

/** False for clients that send no `Sec-Fetch-Site`: they are no browsers. */
export function isFromOtherSite(context: Context<Env>): boolean {
  const site = context.req.header('Sec-Fetch-Site')
  return site === 'cross-site' || site === 'same-site'
}

export function otherSiteError(): AppError {
  return new AppError('forbidden', 'for your safety nothing was changed: the request came from another site', {
    hint: 'Open the link in your email and try again there.',
  })
}

/**
 * `Sec-Fetch-Site` decides if the browser sends it, else `Origin`. Our own pages send `Origin: null`, because of
 * `Referrer-Policy: no-referrer` (Fetch §3.2); then only the token decides.
 */
export function isForeignOrigin(context: Context<Env>, webUrl: string): boolean {
  const site = context.req.header('Sec-Fetch-Site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = context.req.header('Origin')
  if (origin === undefined || origin === 'null') return false
  return ![new URL(webUrl).host, context.req.header('Host')].includes(URL.parse(origin)?.host)
}

/** The CSRF token of a session: the staff name, and a keyed hash of the name and the session. */
export function csrfToken(secret: string, { hash, staff }: FormOwner): string {
  const proof = createHmac('sha256', secret).update(`csrf\n${hash}\n${staff}`).digest('base64url')
  return `${Buffer.from(staff).toString('base64url')}.${proof}`
}

/** The name of staff if `csrf` is a token of that session; undefined if it is not. */
export function verifiedStaff(secret: string, hash: string, csrf: string): string | undefined {
  const staff = staffInCsrfToken(csrf)
  return staff !== undefined && isEqualInConstantTime(csrf, csrfToken(secret, { hash, staff })) ? staff : undefined
}

/** The staff name that a token claims, unverified; undefined for a malformed token. */
function staffInCsrfToken(csrf: string): string | undefined {
  const [, name] = /^([\w-]+)\.[\w-]+$/.exec(csrf) ?? []
  return name && Buffer.from(name, 'base64url').toString()
}

function isEqualInConstantTime(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}
