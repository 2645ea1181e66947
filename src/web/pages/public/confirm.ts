import { type Context, Hono } from 'hono'
import { readConfirmationToken } from '../../../mail/keys.ts'
import type { ConfirmationRow } from '../../../store/schema.ts'
import { subscriberById } from '../../../store/subscribers/subscribers.ts'
import { confirmationLifetimeMs, confirmResubscription, findConfirmation } from '../../../subscribers/resubscribe.ts'
import { day } from '../../../time/clock.ts'
import { requireSameSite } from '../../csrf.ts'
import { withTimeout } from '../../deadline.ts'
import { keyParam, withCatchAllParam } from '../../key.ts'
import { type Env, renderMessage, renderPage, type Web } from '../../response.ts'
import { urls } from '../../urls.ts'
import { maskEmail } from './recipient.ts'

/** The link of a confirmation email. A GET shows a button, because scanners follow links; a POST subscribes again. */
export function confirmPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(withCatchAllParam(urls.confirmation), (context) => showConfirmation(web, context))
    .post(withCatchAllParam(urls.confirmation), requireSameSite, (context) => confirm(web, context))
}

async function showConfirmation(web: Web, context: Context<Env>): Promise<Response> {
  const confirmation = await confirmationOf(web, context)
  if (!confirmation) return expiredPage(web, context)
  const isDone = confirmation.usedAt !== null
  const digest = digestTitle(web, confirmation)
  const title = isDone ? `You are subscribed to ${digest}` : `Subscribe to ${digest} again?`
  return renderPage(web, context, 'confirm', { title, address: await addressOf(web, confirmation), isDone })
}

async function confirm(web: Web, context: Context<Env>): Promise<Response> {
  const confirmation = await confirmationOf(web, context)
  if (!confirmation) return expiredPage(web, context)
  const address = await addressOf(web, confirmation)
  const digest = digestTitle(web, confirmation)
  switch (await withTimeout(web.maxStoreWaitMs, confirmResubscription(web.app, confirmation.id))) {
    case 'resubscribed':
      return renderPage(web, context, 'confirm', { title: `Welcome back to ${digest}`, address, isDone: true })
    case 'already subscribed':
      return renderPage(web, context, 'confirm', { title: `You are subscribed to ${digest}`, address, isDone: true })
    case 'suppressed':
      return renderMessage(web, context, 409, {
        title: 'We can’t send to this address',
        text: [
          'Nothing was changed: our emails to you came back or were reported as spam.',
          `If your address works again, write to ${web.app.config.publication.contact}.`,
        ],
      })
    case 'expired':
      return expiredPage(web, context)
  }
}

async function confirmationOf({ app }: Web, context: Context<Env>): Promise<ConfirmationRow | undefined> {
  return await findConfirmation(app, readConfirmationToken(app.secret, keyParam(context)))
}

function digestTitle({ app }: Web, { digest: name }: ConfirmationRow): string {
  return app.digests.find((digest) => digest.name === name)?.title ?? name
}

async function addressOf({ app }: Web, { subscriberId }: ConfirmationRow): Promise<string> {
  return maskEmail((await subscriberById(app.db, subscriberId))?.email ?? '')
}

/** One page for forged, unknown, used and expired links, so that it reveals nothing. */
function expiredPage(web: Web, context: Context<Env>): Response {
  return renderMessage(web, context, 404, {
    title: 'This link no longer works',
    text: [
      `A confirmation link works once, and for ${confirmationLifetimeMs / day} days. It may also be incomplete.`,
      'To get a new one, open the preferences link at the end of one of our emails.',
      `If that doesn’t help, write to ${web.app.config.publication.contact}.`,
    ],
  })
}
