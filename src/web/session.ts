import type { Context, MiddlewareHandler } from 'hono'
import { hashToken } from '../pipeline/sign-in/sign-in-link.ts'
import { currentSendingStop } from '../store/deliveries/sending-stop.ts'
import { findSession } from '../store/staff/staff.ts'
import { sessionToken } from './cookie.ts'
import { csrfToken, isForeignOrigin, verifiedStaff } from './csrf.ts'
import { momentFormatter } from './format.ts'
import { pageOfForm, pathBelow, saveTypedForm } from './kept-forms.ts'
import { type Env, readForm, type Session, type StopBanner, type Web } from './response.ts'
import { renderSignInForm } from './sign-in-request.ts'
import { studioPath } from './studio-path.ts'

/** Lets signed-in staff through; for others it keeps what they typed and shows how to sign in. */
export function requireStaff(web: Web): MiddlewareHandler<Env> {
  return async (context, next) => {
    const session = await readSession(web, context)
    if (!session) return await showSignInRequired(web, context)
    context.set('session', session)
    context.set('sendingStop', await stopBanner(web.app))
    await next()
  }
}

async function stopBanner({ db }: Web['app']): Promise<StopBanner | undefined> {
  const stop = await currentSendingStop(db)
  return stop && { id: stop.id, message: `Since ${momentFormatter()(stop.at).text}, by ${stop.who}: ${stop.reason}` }
}

/** The session of this browser; undefined if it has none or it has ended. */
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

async function showSignInRequired(web: Web, context: Context<Env>): Promise<Response> {
  const token = sessionToken(web, context)
  const isKept = token !== undefined && (await saveFormOfEndedSession(web, context, hashToken(token)))
  context.header('WWW-Authenticate', 'Session realm="studio"')
  const reason = isKept
    ? 'Your session has ended, so nothing was changed. We kept what you typed: you will see it once you sign in.'
    : `This page is for editors. ${token ? 'Your session has ended' : 'You are not signed in'}.`
  const path = pathBelow(web.base, context.req.path)
  const next = studioPath(context.req.method === 'POST' ? pageOfForm(path) : path)
  return renderSignInForm(web, context, { title: 'Please sign in', text: [reason], next }, 401)
}

/**
 * Keeps the form that was sent with an ended session, for the editor who was signed in then. The CSRF token proves that
 * we gave this form to that editor in this browser, so a stranger cannot fill the store.
 */
async function saveFormOfEndedSession(web: Web, context: Context<Env>, hash: string): Promise<boolean> {
  if (context.req.method !== 'POST' || isForeignOrigin(context, web.app.config.web.url)) return false
  const { csrf = '' } = await readForm(context)
  const staff = verifiedStaff(web.app.secret, hash, csrf)
  return staff !== undefined && (await saveTypedForm(web, context, { hash, staff }))
}
