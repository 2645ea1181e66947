import { type Context, Hono } from 'hono'
import { messageOf } from '../../../errors.ts'
import { leave } from '../../../subscribers/leave.ts'
import { isFromOtherSite, otherSiteError } from '../../csrf.ts'
import { isDatabaseUnavailable, withTimeout } from '../../deadline.ts'
import { keyParam, withCatchAllParam } from '../../key.ts'
import { type Env, renderMessage, renderPage, type Web } from '../../response.ts'
import { urls, withoutKeyPaths } from '../../urls.ts'
import { maskEmail, type Recipient, recipientOf } from './recipient.ts'

/** The unsubscribe link of an email. A GET shows a button, because scanners follow links; a POST unsubscribes at once. */
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
  return renderPage(web, context, 'leave', leaveView(recipient, { hasLeft, justLeft: false }))
}

/**
 * One-click unsubscribe (RFC 8058 §3.1): no cookie, no redirect, no confirmation. Ignores the body, of any length.
 * Mail providers post from other sites. `?by=page` marks the button on our own page, which other sites must not press.
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
  return renderPage(web, context, 'leave', leaveView(recipient, { hasLeft: true, justLeft }))
}

type LeaveResult = { recipient: Recipient; justLeft: boolean }

async function leaveByKey({ app }: Web, key: string, how: 'page' | 'one-click'): Promise<LeaveResult | undefined> {
  const recipient = await recipientOf(app, key)
  if (!recipient) return undefined
  const { subscriber, digest, editionId } = recipient
  const justLeft = await leave(app, { subscriberId: subscriber.id, digest: digest.name, editionId, how })
  return { recipient, justLeft }
}

/** We confirm only what is stored. A write that is waiting for a lock may still succeed after this answer. */
function notStoredPage(web: Web, context: Context<Env>, error: unknown): Response {
  const { log, config } = web.app
  log.error(
    { event: 'leave.not_stored', error: messageOf(error) },
    'unsubscribe request not stored: database unavailable',
  )
  context.header('Retry-After', '30')
  return renderMessage(web, context, 503, {
    title: 'You are not unsubscribed yet',
    text: [
      'We can’t reach our database right now, so we couldn’t unsubscribe you.',
      'Please open the link in your email again in a few minutes and press the button.',
      `If it still fails, write to ${config.publication.contact}.`,
    ],
  })
}

/** One page for forged, mistyped and unknown keys, so that it reveals nothing. */
export function unknownKeyPage(web: Web, context: Context<Env>): Response {
  const { contact } = web.app.config.publication
  return renderMessage(web, context, 404, {
    title: 'This link does not work',
    text: [
      'The link may be incomplete. Please open it again from the end of our email.',
      `If that doesn’t help, write to ${contact} from the address we send to, and tell us what you want.`,
    ],
  })
}

/** For a key of an earlier version on a page other than unsubscribe. */
export function olderLinkPage(web: Web, context: Context<Env>): Response {
  const { contact } = web.app.config.publication
  return renderMessage(web, context, 404, {
    title: 'This link is from an older email',
    text: [
      'It no longer opens your preferences. The unsubscribe link in that email still works.',
      `To change your preferences, use the link in a newer email, or write to ${contact}.`,
    ],
  })
}

/** The links in the public archive have no key. */
export function withoutKeyPage(web: Web, context: Context<Env>, status: 200 | 404): Response {
  const { contact } = web.app.config.publication
  return renderMessage(web, context, status, {
    title: 'Please use the link in your own email',
    text: [
      'You came from the public copy of an edition. It can’t tell who you are.',
      'Every email that we send ends with your own links: one to unsubscribe, one to change your preferences.',
      `No email at hand? Write to ${contact} from the address we send to, and tell us what you want.`,
    ],
  })
}

function leaveView(recipient: Recipient, state: { hasLeft: boolean; justLeft: boolean }) {
  const { key, onlyLeaves, subscriber, digest } = recipient
  const title = state.hasLeft ? `You are unsubscribed from ${digest.title}` : `Unsubscribe from ${digest.title}?`
  return { ...state, title, key, onlyLeaves, digest, address: maskEmail(subscriber.email) }
}
