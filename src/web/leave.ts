import { type Context, Hono } from 'hono'
import { leave } from '../subscribers/leave.ts'
import { type Env, readForm, say, show, type Web } from './answer.ts'
import { maskedAddress, type Recipient, recipientOf } from './recipient.ts'
import { urls, withoutKeyPaths } from './urls.ts'

/** Leaving by the link in an email. A GET shows a button, since scanners follow links; a POST leaves at once. */
export function leavePages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.leave, (context) => offer(web, context))
    .post(urls.leave, (context) => leaveNow(web, context))
    .on('GET', withoutKeyPaths(urls.leave), (context) => withoutKeyPage(web, context, 200))
    .on('POST', withoutKeyPaths(urls.leave), (context) => withoutKeyPage(web, context, 404))
}

async function offer(web: Web, context: Context<Env>): Promise<Response> {
  const recipient = await recipientOf(web.app, context.req.param('key') ?? '')
  if (!recipient) return unknownKeyPage(web, context)
  const hasLeft = recipient.subscription.leftAt !== null
  const title = hasLeft ? `You have left ${recipient.digest.title}` : `Leave ${recipient.digest.title}?`
  return show(web, context, 'leave', view(recipient, { title, hasLeft, justLeft: false }))
}

/**
 * RFC 8058 §3.1: no cookie, no redirect, no question. Whatever the body is, who posts here wants to leave; it only tells
 * a mail provider's `List-Unsubscribe=One-Click` from the button on our page. Posting from other sites is what providers do.
 */
async function leaveNow(web: Web, context: Context<Env>): Promise<Response> {
  const recipient = await recipientOf(web.app, context.req.param('key') ?? '')
  if (!recipient) return unknownKeyPage(web, context)
  const { by } = await readForm(context)
  const { subscriber, digest, editionId } = recipient
  const act = { subscriberId: subscriber.id, digest: digest.name, editionId, how: by === 'page' ? 'page' : 'one-click' }
  const justLeft = await leave(web.app, act)
  const title = `You have ${justLeft ? '' : 'already '}left ${digest.title}`
  return show(web, context, 'leave', view(recipient, { title, hasLeft: true, justLeft }))
}

/** The same page for a key that is forged, mistyped or of somebody we do not know: it tells nothing. */
export function unknownKeyPage(web: Web, context: Context<Env>): Response {
  const { contact } = web.app.config.publication
  return say(web, context, 404, {
    title: 'This link does not work',
    text: [
      'It may have lost a letter on its way. Please open it again from the foot of the email that you got.',
      `If that does not help, write to ${contact}, and a person will do it for you.`,
    ],
  })
}

/** For a key of an earlier version, anywhere but where one leaves. */
export function olderLinkPage(web: Web, context: Context<Env>): Response {
  const { contact } = web.app.config.publication
  return say(web, context, 404, {
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
  return say(web, context, status, {
    title: 'Please use the link in your own email',
    text: [
      'You came from the public copy of an edition, which does not know who you are.',
      'Every email that we send has links of its own at the foot: one to leave, one to change your preferences.',
      `No email at hand? Write to ${contact}, and a person will do it for you.`,
    ],
  })
}

function view(recipient: Recipient, state: { title: string; hasLeft: boolean; justLeft: boolean }) {
  const { key, onlyLeaves, subscriber, digest } = recipient
  return { ...state, key, onlyLeaves, digest, address: maskedAddress(subscriber.email) }
}
