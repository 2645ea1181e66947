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
import { requireOwnForm, requireSameSite } from './csrf.ts'
import { handleRemoval, keptFormsListPage } from './kept-forms.ts'
import { type Env, renderMessage, renderPage, type Web } from './response.ts'
import { hashToken, requireStaff } from './session.ts'
import { maxSessionMs, sessionEnd } from './session-use.ts'
import { pathTo, urls } from './urls.ts'

const linkLifetimeMs = 30 * minute

/** Longer than any session, so that a form sent after its end can still be kept for its editor. */
const cookieAgeMs = maxSessionMs + day

/**
 * Creates a link that signs `staff` in once, within 30 minutes. The store keeps only the SHA-256 of the 256-bit token, so
 * reading the store does not help to sign in.
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

/** The forms kept from ended sessions. Use them after `requireStaff`. */
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
  return showSignedOut(web, context, [])
}

/** Ends every session and unused link of this editor, including this browser's session: a device may be lost. */
async function signOutEverywhere(web: Web, context: Context<Env>): Promise<Response> {
  const { db, clock, log } = web.app
  const staff = context.var.session?.staff ?? ''
  const [{ sessions = 0, links = 0 } = {}] = await endSessions(db, { staff, endedBy: staff, now: clock.now() })
  log.info({ event: 'staff.sessions_ended', staff, by: staff, sessions, links }, 'sessions ended')
  const ended = `${formatCount(sessions, 'session')} and ${formatCount(links, 'unused sign-in link')} of ${staff} ended.`
  return showSignedOut(web, context, [`${ended} You are signed out of every browser.`])
}

function showSignedOut(web: Web, context: Context<Env>, details: string[]): Response {
  clearSessionCookie(web, context)
  context.set('session', undefined)
  const text = [
    ...details,
    'To sign in again, ask for a new link. The person who runs Lastword creates it with this command:',
  ]
  return renderMessage(web, context, 200, { title: 'You are signed out', text, command: 'lastword staff link' })
}

function showUnusableLink(web: Web, context: Context<Env>): Response {
  return renderMessage(web, context, 404, {
    title: 'This sign-in link does not work',
    text: [
      'A sign-in link works once, and for 30 minutes. This one was used, has expired, or was cut off.',
      'Ask for a new one. The person who runs Lastword creates it with this command:',
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
