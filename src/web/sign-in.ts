import { randomBytes } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { App } from '../app.ts'
import { moveKeptForms } from '../store/staff/kept-forms.ts'
import {
  addSession,
  addSignInLink,
  endSession,
  endSessions,
  staffOfSignInLink,
  useSignInLink,
} from '../store/staff/staff.ts'
import { formatCount } from '../text/words.ts'
import { addMs, day, minute } from '../time/clock.ts'
import { clearSessionCookie, sessionToken, setSessionCookie } from './cookie.ts'
import { handleRemoval, keptFormsListPage } from './kept-forms.ts'
import { type Env, renderMessage, renderPage, type Web } from './response.ts'
import { hashToken, requireOwnForm, requireSameSite, requireStaff } from './session.ts'
import { maxSessionMs, sessionEnd } from './session-use.ts'
import { pathTo, urls } from './urls.ts'

const linkLifetimeMs = 30 * minute

/** Longer than any session, so that a form sent after its end still shows whose it was. */
const cookieAgeMs = maxSessionMs + day

/**
 * Makes a link that signs `staff` in, once, within 30 minutes. The token has 256 random bits; the store keeps its
 * SHA-256 only, so that nobody who reads the store can sign in.
 */
export async function makeSignInLink(
  { db, clock, config }: Pick<App, 'db' | 'clock' | 'config'>,
  staff: string,
): Promise<string> {
  const now = clock.now()
  const token = newToken()
  await addSignInLink(db, { hash: hashToken(token), staff, createdAt: now, expiresAt: addMs(now, linkLifetimeMs) })
  return config.web.url + pathTo(urls.signIn, token)
}

export function signInPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.signIn, (context) => showSignIn(web, context))
    .post(urls.signIn, requireSameSite, (context) => signIn(web, context))
    .post(urls.signOut, requireStaff(web), requireOwnForm(web), (context) => signOut(web, context))
    .post(urls.signOutEverywhere, requireStaff(web), requireOwnForm(web), (context) => signOutEverywhere(web, context))
}

/** What was typed into forms of sessions that have ended. Stands behind `staffOnly`. */
export function keptFormPages(web: Web): Hono<Env> {
  return keptFormsListPage(web).post(urls.keptFormRemoval, requireOwnForm(web), (context) =>
    handleRemoval(web, context),
  )
}

async function showSignIn(web: Web, context: Context<Env>): Promise<Response> {
  const staff = await staffOfSignInLink(web.app.db, hashOfTokenParam(context), web.app.clock.now())
  if (staff === undefined) return showUnusableLink(web, context)
  return renderPage(web, context, 'sign-in', { title: 'Sign in', staffNamed: staff })
}

async function signIn(web: Web, context: Context<Env>): Promise<Response> {
  const { db, clock } = web.app
  const now = clock.now()
  const token = newToken()
  const hash = hashToken(token)
  const earlier = sessionToken(web, context)
  const signedIn = await db.transaction().execute(async (trx) => {
    const staff = await useSignInLink(trx, hashOfTokenParam(context), now)
    if (staff === undefined) return undefined
    await addSession(trx, { hash, staff, createdAt: now, lastUsedAt: now, expiresAt: sessionEnd(now, now) })
    if (earlier === undefined) return { hasKeptForms: false }
    await endSession(trx, hashToken(earlier))
    return { hasKeptForms: await moveKeptForms(trx, hashToken(earlier), { hash, staff }, now) }
  })
  if (signedIn === undefined) return showUnusableLink(web, context)
  setSessionCookie(web, context, token, cookieAgeMs)
  return context.redirect(web.base + (signedIn.hasKeptForms ? urls.keptForms : urls.studio), 303)
}

async function signOut(web: Web, context: Context<Env>): Promise<Response> {
  if (context.var.session) await endSession(web.app.db, context.var.session.hash)
  return showSignedOut(web, context, 'This browser has no session any more.')
}

/** Ends what a lost or borrowed machine could still use, this browser's session among it. */
async function signOutEverywhere(web: Web, context: Context<Env>): Promise<Response> {
  const { db, clock, log } = web.app
  const staff = context.var.session?.staff ?? ''
  const [{ sessions = 0, links = 0 } = {}] = await endSessions(db, { staff, endedBy: staff, now: clock.now() })
  log.info({ event: 'staff.sessions_ended', staff, by: staff, sessions, links }, 'sessions were ended')
  const what = `${formatCount(sessions, 'session')} and ${formatCount(links, 'unused sign-in link')} of ${staff} ended.`
  return showSignedOut(web, context, `${what} No browser is signed in with that name any more.`)
}

function showSignedOut(web: Web, context: Context<Env>, what: string): Response {
  clearSessionCookie(web, context)
  context.set('session', undefined)
  const text = [what, 'To come back, make a new link where Lastword runs:']
  return renderMessage(web, context, 200, { title: 'You are signed out', text, command: 'lastword staff link' })
}

function showUnusableLink(web: Web, context: Context<Env>): Response {
  return renderMessage(web, context, 404, {
    title: 'This sign-in link does not work',
    text: [
      'A sign-in link works once, and for 30 minutes. This one was used, is too old, or is not whole.',
      'Make a new one where Lastword runs:',
    ],
    command: 'lastword staff link',
  })
}

function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function hashOfTokenParam(context: Context<Env>): string {
  return hashToken(context.req.param('token') ?? '')
}
