import { type Context, Hono } from 'hono'
import { hashToken, newToken } from '../pipeline/sign-in/sign-in-link.ts'
import { moveKeptForms } from '../store/staff/kept-forms.ts'
import { addSession, endSession, endSessions, staffOfSignInLink, useSignInLink } from '../store/staff/staff.ts'
import { formatCount } from '../text/words.ts'
import { day } from '../time/clock.ts'
import { clearSessionCookie, sessionToken, setSessionCookie } from './cookie.ts'
import { requireOwnForm, requireSameSite } from './csrf.ts'
import { handleRemoval, keptFormsListPage } from './kept-forms.ts'
import { type Env, readForm, renderPage, type Web } from './response.ts'
import { requireStaff } from './session.ts'
import { maxSessionMs, sessionEnd } from './session-use.ts'
import { renderSignInForm } from './sign-in-request.ts'
import { studioPath } from './studio-path.ts'
import { urls } from './urls.ts'

/** Longer than any session, so that a form sent after its end can still be kept for its editor. */
const cookieAgeMs = maxSessionMs + day

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
  const next = nextOf(context)
  return renderPage(web, context, 'sign-in', { title: 'Sign in', staffNamed: staff, next })
}

async function signIn(web: Web, context: Context<Env>): Promise<Response> {
  const { db, clock } = web.app
  const now = clock.now()
  const next = studioPath((await readForm(context)).next) || urls.studio
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
  return context.redirect(web.base + (signedIn.hasKeptForms ? urls.keptForms : next), 303)
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
  return renderSignInForm(web, context, { title: 'You are signed out', text: details, next: '' }, 200)
}

function showUnusableLink(web: Web, context: Context<Env>): Response {
  const text = ['A sign-in link works once, and for a short time. This one was used, has expired, or was cut off.']
  const title = 'This sign-in link does not work'
  return renderSignInForm(web, context, { title, text, next: nextOf(context) }, 404)
}

/** The page to open after signing in, from the link; '' for none. */
function nextOf(context: Context<Env>): string {
  return studioPath(context.req.query('next'))
}

function hashOfTokenParam(context: Context<Env>): string {
  return hashToken(context.req.param('token') ?? '')
}
