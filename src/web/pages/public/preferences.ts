import { type Context, Hono } from 'hono'
import { AppError } from '../../../errors.ts'
import { renameSubscriber } from '../../../store/subscribers/subscribers.ts'
import { leave } from '../../../subscribers/leave.ts'
import { tidyName } from '../../../subscribers/name.ts'
import {
  confirmationLifetimeMs,
  type ResubscribeResult,
  requestResubscription,
} from '../../../subscribers/resubscribe.ts'
import { day } from '../../../time/clock.ts'
import { requireSameSite } from '../../csrf.ts'
import { withTimeout } from '../../deadline.ts'
import { keyParam, withCatchAllParam } from '../../key.ts'
import { type Env, readForm, renderPage, type Web } from '../../response.ts'
import { urls, withoutKeyPaths } from '../../urls.ts'
import { olderLinkPage, unknownKeyPage, withoutKeyPage } from './leave.ts'
import { maskEmail, type Recipient, recipientOf } from './recipient.ts'

/** A subscriber's own page. The key in the path gives access; without a cookie other sites have nothing to misuse. */
export function preferencesPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(withCatchAllParam(urls.preferences), (context) => showPreferences(web, context))
    .post(withCatchAllParam(urls.preferences), requireSameSite, (context) => handleChange(web, context))
    .on('GET', withoutKeyPaths(urls.preferences), (context) => withoutKeyPage(web, context, 200))
}

async function showPreferences(web: Web, context: Context<Env>, done = ''): Promise<Response> {
  const recipient = await recipientOf(web.app, keyParam(context))
  if (!recipient) return unknownKeyPage(web, context)
  if (recipient.onlyLeaves) return olderLinkPage(web, context)
  return renderPage(web, context, 'preferences', preferencesView(recipient, done))
}

async function handleChange(web: Web, context: Context<Env>): Promise<Response> {
  const recipient = await recipientOf(web.app, keyParam(context))
  if (!recipient) return unknownKeyPage(web, context)
  if (recipient.onlyLeaves) return olderLinkPage(web, context)
  const fields = await readForm(context)
  return await showPreferences(web, context, await withTimeout(web.maxStoreWaitMs, applyChange(web, recipient, fields)))
}

const maxNameLength = 200

const resubscribeMessages: Record<ResubscribeResult, (title: string, address: string) => string> = {
  asked: (title, address) =>
    `We are sending an email to ${address}. Open its link within ${confirmationLifetimeMs / day} days and press the button to get ${title} again.`,
  suppressed: () => 'Nothing changed: we can’t send to your address. See below.',
  subscribed: (title) => `Nothing changed: you are subscribed to ${title}.`,
}

/** Applies the change and returns a sentence about the result. */
async function applyChange({ app }: Web, recipient: Recipient, fields: Record<string, string>): Promise<string> {
  const { subscriber, digest, editionId } = recipient
  const request = { subscriberId: subscriber.id, digest: digest.name, editionId, how: 'page' }
  switch (fields.action) {
    case 'leave': {
      const left = await leave(app, request)
      return left
        ? `You are unsubscribed from ${digest.title}.`
        : `Nothing changed: you were already unsubscribed from ${digest.title}.`
    }
    case 'return': {
      const result = await requestResubscription(app, request)
      return resubscribeMessages[result](digest.title, maskEmail(subscriber.email))
    }
    case 'rename': {
      const name = tidyName((fields.name ?? '').slice(0, maxNameLength))
      if (name === subscriber.name) return 'Nothing changed: that is already your name.'
      await renameSubscriber(app.db, subscriber.id, name)
      return name ? `Saved. Your name is now ${name}.` : 'Saved. We have deleted your name.'
    }
    default:
      throw new AppError('invalid', 'nothing was changed: the form was incomplete', {
        hint: 'Go back and use one of the buttons.',
      })
  }
}

function preferencesView({ key, subscriber, subscription, digest }: Recipient, done: string) {
  const hasLeft = subscription.leftAt !== null
  return {
    title: 'Your preferences',
    key,
    digest,
    done,
    name: subscriber.name,
    address: maskEmail(subscriber.email),
    hasLeft,
    isSuppressed: subscriber.suppressedAt !== null,
    isPending: subscription.confirmedAt === null && !hasLeft,
    maxNameLength,
  }
}
