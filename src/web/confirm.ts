import { type Context, Hono } from 'hono'
import { day } from '../clock.ts'
import type { ConfirmationRow } from '../store/schema.ts'
import { subscriberById } from '../store/subscribers.ts'
import { confirmationLifetime, confirmResubscription, openConfirmation } from '../subscribers/resubscribe.ts'
import { readConfirmationToken } from '../subscribers/token.ts'
import { type Env, say, show, type Web } from './answer.ts'
import { within } from './deadline.ts'
import { keyParam, withAnyEnd } from './key.ts'
import { maskedAddress } from './recipient.ts'
import { ownSiteOnly } from './session.ts'
import { urls } from './urls.ts'

/** Behind the link of a confirmation email. A GET shows a button, since scanners follow links; a POST subscribes again. */
export function confirmPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(withAnyEnd(urls.confirmation), (context) => offer(web, context))
    .post(withAnyEnd(urls.confirmation), ownSiteOnly, (context) => confirm(web, context))
}

async function offer(web: Web, context: Context<Env>): Promise<Response> {
  const confirmation = await confirmationOf(web, context)
  if (!confirmation) return expiredPage(web, context)
  const isDone = confirmation.usedAt !== null
  const digest = titleOf(web, confirmation)
  const title = isDone ? `You are subscribed to ${digest}` : `Subscribe to ${digest} again?`
  return show(web, context, 'confirm', { title, address: await addressOf(web, confirmation), isDone })
}

async function confirm(web: Web, context: Context<Env>): Promise<Response> {
  const confirmation = await confirmationOf(web, context)
  if (!confirmation) return expiredPage(web, context)
  const address = await addressOf(web, confirmation)
  const digest = titleOf(web, confirmation)
  switch (await within(web.maxStoreWaitMs, confirmResubscription(web.app, confirmation.id))) {
    case 'resubscribed':
      return show(web, context, 'confirm', { title: `Welcome back to ${digest}`, address, isDone: true })
    case 'already subscribed':
      return show(web, context, 'confirm', { title: `You are subscribed to ${digest}`, address, isDone: true })
    case 'suppressed':
      return say(web, context, 409, {
        title: 'We cannot send to this address',
        text: [
          'Nothing was changed: messages to your address came back, or were reported as unwanted.',
          `If it should work again, write to ${web.app.config.publication.contact}.`,
        ],
      })
    case 'expired':
      return expiredPage(web, context)
  }
}

async function confirmationOf({ app }: Web, context: Context<Env>): Promise<ConfirmationRow | undefined> {
  return await openConfirmation(app, readConfirmationToken(app.secret, keyParam(context)))
}

function titleOf({ app }: Web, { digest: name }: ConfirmationRow): string {
  return app.digests.find((digest) => digest.name === name)?.title ?? name
}

async function addressOf({ app }: Web, { subscriberId }: ConfirmationRow): Promise<string> {
  return maskedAddress((await subscriberById(app.db, subscriberId))?.email ?? '')
}

/** The same page for a link that is forged, unknown, used or too old: it tells nothing. */
function expiredPage(web: Web, context: Context<Env>): Response {
  return say(web, context, 404, {
    title: 'This link does not work any more',
    text: [
      `A confirmation link works once, and for ${confirmationLifetime / day} days. It may also be incomplete.`,
      'For a new one open the link to your preferences at the foot of an email that you got from us.',
      `If that does not help, write to ${web.app.config.publication.contact}.`,
    ],
  })
}
