import { type Context, Hono } from 'hono'
import { translate } from '../../../describe/translate.ts'
import { messageOf } from '../../../errors.ts'
import { leave } from '../../../subscribers/leave.ts'
import { isFromOtherSite, otherSiteError } from '../../csrf.ts'
import { isDatabaseUnavailable, withTimeout } from '../../deadline.ts'
import { keyParam, withCatchAllParam } from '../../key.ts'
import { type Env, pageLanguage, renderMessage, renderPage, translateMessage, type Web } from '../../response.ts'
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
  web.app.log.error(
    { event: 'leave.not_stored', error: messageOf(error) },
    'unsubscribe request not stored: database unavailable',
  )
  context.header('Retry-After', '30')
  const keys = { title: 'not-unsubscribed', text: ['not-unsubscribed-why', 'not-unsubscribed-retry', 'still-fails'] }
  return renderMessage(web, context, 503, translateMessage(web, pageLanguage(web, context), keys))
}

/** One page for forged, mistyped and unknown keys, so that it reveals nothing. */
export function unknownKeyPage(web: Web, context: Context<Env>): Response {
  const keys = { title: 'unknown-link', text: ['unknown-link-why', 'unknown-link-help'] }
  return renderMessage(web, context, 404, translateMessage(web, pageLanguage(web, context), keys))
}

/** For a key of an earlier version on a page other than unsubscribe. */
export function olderLinkPage(web: Web, context: Context<Env>, { language }: Recipient): Response {
  const keys = { title: 'older-link', text: ['older-link-why', 'older-link-help'] }
  return renderMessage(web, context, 404, translateMessage(web, language, keys))
}

/** The links in the public archive have no key. */
export function withoutKeyPage(web: Web, context: Context<Env>, status: 200 | 404): Response {
  const keys = { title: 'public-link', text: ['public-link-why', 'public-link-where', 'public-link-help'] }
  return renderMessage(web, context, status, translateMessage(web, pageLanguage(web, context), keys))
}

function leaveView(recipient: Recipient, state: { hasLeft: boolean; justLeft: boolean }) {
  const { key, onlyLeaves, subscriber, digest, language } = recipient
  const titleKey = state.hasLeft ? 'page.unsubscribed-from' : 'page.unsubscribe-from'
  const title = translate(language, titleKey, { digest: digest.title })
  return { ...state, language, title, key, onlyLeaves, digest, address: maskEmail(subscriber.email) }
}
