import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { hour } from '../clock.ts'
import { AppError } from '../errors.ts'
import { brakeNow } from '../store/brake.ts'
import { sessionStaff } from '../store/staff.ts'
import { type Env, readForm, type Session, say, type Web } from './answer.ts'
import { momentWriter } from './words.ts'

export const sessionLength = 12 * hour

const cookieName = 'lastword'

/** Lets in who is signed in; anybody else gets a page that says how. */
export function staffOnly(web: Web): MiddlewareHandler<Env> {
  return async (context, next) => {
    const session = await readSession(web, context)
    if (!session) return signedOut(web, context)
    context.set('session', session)
    context.set('brake', await brakeBanner(web.app))
    await next()
  }
}

async function brakeBanner({ db }: Web['app']): Promise<string | undefined> {
  const brake = await brakeNow(db)
  return brake && `Since ${momentWriter()(brake.at).text}, by ${brake.who}: ${brake.reason}`
}

/**
 * Refuses a change that does not come from a form of this session: a token in the form, and what the browser says about
 * the page that sent it. Stands behind `staffOnly`.
 */
export function ownForm({ app }: Web): MiddlewareHandler<Env> {
  return async (context, next) => {
    const { csrf = '' } = await readForm(context)
    const expected = context.var.session?.csrf
    if (!expected || !same(csrf, expected) || isForeign(context, app.config.web.url)) {
      throw new AppError('forbidden', 'nothing was changed: this did not come from a page of yours', {
        hint: 'Go back, reload the page and try again.',
      })
    }
    await next()
  }
}

/** Refuses what a browser sent from somebody else's page. A client that is no browser does not say, and may. */
export const notCrossSite: MiddlewareHandler<Env> = async (context, next) => {
  if (context.req.method === 'POST' && context.req.header('Sec-Fetch-Site') === 'cross-site') {
    throw new AppError('forbidden', 'nothing was changed: another site sent this', {
      hint: 'Open the link in your email and try again there.',
    })
  }
  await next()
}

/** The hash that we keep of a token which somebody else keeps. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/**
 * Gives the browser its session. Lax, not Strict: an editor who follows a link from an email or a chat into the studio
 * is signed in there too. What Lax would let through is a GET, and a GET changes nothing.
 */
export function giveCookie({ app }: Web, context: Context<Env>, token: string): void {
  const maxAge = sessionLength / 1000
  const secure = isSecure(app.config.web.url)
  const shared = { httpOnly: true, sameSite: 'Lax', path: '/', maxAge } as const
  if (secure) setCookie(context, cookieName, token, { ...shared, secure, prefix: 'host' })
  else setCookie(context, cookieName, token, shared)
}

export function takeCookie({ app }: Web, context: Context<Env>): void {
  const secure = isSecure(app.config.web.url)
  deleteCookie(context, secure ? `__Host-${cookieName}` : cookieName, { path: '/', secure })
}

async function readSession({ app }: Web, context: Context<Env>): Promise<Session | undefined> {
  const secure = isSecure(app.config.web.url)
  const token = secure ? getCookie(context, cookieName, 'host') : getCookie(context, cookieName)
  if (!token) return undefined
  const hash = hashOfToken(token)
  const staff = await sessionStaff(app.db, hash, app.clock.now())
  const csrf = createHmac('sha256', app.secret).update(`csrf\n${hash}`).digest('base64url')
  return staff === undefined ? undefined : { hash, staff, csrf }
}

function signedOut(web: Web, context: Context<Env>): Response {
  context.header('WWW-Authenticate', 'Session realm="studio"')
  return say(web, context, 401, {
    title: 'Please sign in',
    text: [
      'This page is for editors, and you are not signed in. A session lasts twelve hours.',
      'Make yourself a sign-in link where Lastword runs, and open it in this browser:',
    ],
    command: 'lastword staff link',
  })
}

/**
 * Sec-Fetch-Site decides where a browser sends it; else Origin. Our own pages send `Origin: null`, because of
 * `Referrer-Policy: no-referrer` (Fetch §3.2), so that `null` says nothing, and the token decides alone.
 */
function isForeign(context: Context<Env>, webUrl: string): boolean {
  const site = context.req.header('Sec-Fetch-Site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = context.req.header('Origin')
  if (origin === undefined || origin === 'null') return false
  return ![new URL(webUrl).host, context.req.header('Host')].includes(URL.parse(origin)?.host)
}

function same(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function isSecure(webUrl: string): boolean {
  return webUrl.startsWith('https:')
}
