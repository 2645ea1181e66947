import { type Context, Hono } from 'hono'
import { messageOf } from '../../../errors.ts'
import { leave } from '../../../subscribers/leave.ts'
import { isDatabaseUnavailable, withTimeout } from '../../deadline.ts'
import { keyParam, withCatchAllParam } from '../../key.ts'
import { type Env, renderMessage, renderPage, type Web } from '../../response.ts'
import { isFromOtherSite, otherSiteError } from '../../session.ts'
import { urls, withoutKeyPaths } from '../../urls.ts'
import { maskEmail, type Recipient, recipientOf } from './recipient.ts'

/** Leaving by the link in an email. A GET shows a button, since scanners follow links; a POST leaves at once. */
export function leavePages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(withCatchAllParam(urls.leave), (context) => showLeave(web, context))
    .post(withCatchAllParam(urls.leave), (context) => handleLeave(web, context))
    .on('GET', withoutKeyPaths(urls.leave), (context) => withoutKeyPage(web, context, 200))
    .on('POST', withoutKeyPaths(urls.leave), (context) => withoutKeyPage(web, context, 404))
}

async function showLeave(web: Web, context: Context<Env>): Promise<Response> {
  const recipient = await recipientOf(web.app, keyParam(context))
  if (!recipient) return unknownKeyPage(web, context)
  const hasLeft = recipient.subscription.leftAt !== null
  const title = hasLeft ? `You have left ${recipient.digest.title}` : `Leave ${recipient.digest.title}?`
  return renderPage(web, context, 'leave', leaveView(recipient, { title, hasLeft, justLeft: false }))
}

/**
 * RFC 8058 §3.1: no cookie, no redirect, no question, and whoever posts here wants to leave. The body is not read,
 * however long it is. The address tells the button on our page from a mail provider's one-click, which comes from
 * another site; a foreign page must not press our button.
 */
async function handleLeave(web: Web, context: Context<Env>): Promise<Response> {
  const isPage = context.req.query('by') === 'page'
  if (isPage && isFromOtherSite(context)) throw otherSiteError()
  let left: LeaveResult | undefined
  try {
    left = await withTimeout(web.maxStoreWaitMs, leaveByKey(web, keyParam(context), isPage ? 'page' : 'one-click'))
  } catch (error) {
    if (isDatabaseUnavailable(error)) return notStoredPage(web, context, error)
    throw error
  }
  if (!left) return unknownKeyPage(web, context)
  const { recipient, justLeft } = left
  const title = `You have ${justLeft ? '' : 'already '}left ${recipient.digest.title}`
  return renderPage(web, context, 'leave', leaveView(recipient, { title, hasLeft: true, justLeft }))
}

type LeaveResult = { recipient: Recipient; justLeft: boolean }

async function leaveByKey({ app }: Web, key: string, how: 'page' | 'one-click'): Promise<LeaveResult | undefined> {
  const recipient = await recipientOf(app, key)
  if (!recipient) return undefined
  const { subscriber, digest, editionId } = recipient
  const justLeft = await leave(app, { subscriberId: subscriber.id, digest: digest.name, editionId, how })
  return { recipient, justLeft }
}

/** Nothing is acknowledged that is not stored. A write that still waits for a lock may be done after this answer. */
function notStoredPage(web: Web, context: Context<Env>, error: unknown): Response {
  const { log, config } = web.app
  log.error(
    { event: 'leave.not_stored', error: messageOf(error) },
    'somebody could not unsubscribe: the database is away',
  )
  context.header('Retry-After', '30')
  return renderMessage(web, context, 503, {
    title: 'You are not unsubscribed yet',
    text: [
      "We can't reach our database right now, so we could not store that you want to leave.",
      'Please open the link in your email again in a few minutes, and press the button once more.',
      `If it goes on, write to ${config.publication.contact}.`,
    ],
  })
}

/** The same page for a key that is forged, mistyped or of somebody we do not know: it tells nothing. */
export function unknownKeyPage(web: Web, context: Context<Env>): Response {
  const { contact } = web.app.config.publication
  return renderMessage(web, context, 404, {
    title: 'This link does not work',
    text: [
      'A part of it may be missing. Please open it again from the foot of the email that you got.',
      `If that does not help, write to ${contact} from the address that our emails go to, and say what you want.`,
    ],
  })
}

/** For a key of an earlier version, anywhere but where one leaves. */
export function olderLinkPage(web: Web, context: Context<Env>): Response {
  const { contact } = web.app.config.publication
  return renderMessage(web, context, 404, {
    title: 'This link is from an older email',
    text: [
      'It can still unsubscribe you, by the other link at the foot of that email, and nothing else.',
      `For your preferences please use the link in a newer email, or write to ${contact}.`,
    ],
  })
}

/** The archive shows an edition with nobody's key in it. */
export function withoutKeyPage(web: Web, context: Context<Env>, status: 200 | 404): Response {
  const { contact } = web.app.config.publication
  return renderMessage(web, context, status, {
    title: 'Please use the link in your own email',
    text: [
      'You came from the public copy of an edition, which does not know who you are.',
      'Every email that we send has links of its own at the foot: one to leave, one to change your preferences.',
      `No email at hand? Write to ${contact} from the address that our emails go to, and say what you want.`,
    ],
  })
}

function leaveView(recipient: Recipient, state: { title: string; hasLeft: boolean; justLeft: boolean }) {
  const { key, onlyLeaves, subscriber, digest } = recipient
  return { ...state, key, onlyLeaves, digest, address: maskEmail(subscriber.email) }
}
