import { type Context, Hono } from 'hono'
import { translate } from '../../../describe/translate.ts'
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
  if (recipient.onlyLeaves) return olderLinkPage(web, context, recipient)
  return renderPage(web, context, 'preferences', preferencesView(recipient, done))
}

async function handleChange(web: Web, context: Context<Env>): Promise<Response> {
  const recipient = await recipientOf(web.app, keyParam(context))
  if (!recipient) return unknownKeyPage(web, context)
  if (recipient.onlyLeaves) return olderLinkPage(web, context, recipient)
  const fields = await readForm(context)
  return await showPreferences(web, context, await withTimeout(web.maxStoreWaitMs, applyChange(web, recipient, fields)))
}

const maxNameLength = 200

const resubscribeMessages: Record<ResubscribeResult, string> = {
  asked: 'confirmation-sent',
  suppressed: 'unchanged-suppressed',
  subscribed: 'unchanged-subscribed',
}

/** Applies the change and returns a sentence about the result. */
async function applyChange({ app }: Web, recipient: Recipient, fields: Record<string, string>): Promise<string> {
  const { subscriber, digest, editionId, language } = recipient
  const translateKey = (key: string, values = {}) =>
    translate(language, `page.${key}`, { digest: digest.title, ...values })
  const request = { subscriberId: subscriber.id, digest: digest.name, editionId, how: 'page' }
  switch (fields.action) {
    case 'leave': {
      const left = await leave(app, request)
      return translateKey(left ? 'now-unsubscribed' : 'unchanged-left')
    }
    case 'return': {
      const result = await requestResubscription(app, request)
      const values = { address: maskEmail(subscriber.email), days: confirmationLifetimeMs / day }
      return translateKey(resubscribeMessages[result], values)
    }
    case 'rename': {
      const name = tidyName((fields.name ?? '').slice(0, maxNameLength))
      if (name === subscriber.name) return translateKey('unchanged-name')
      await renameSubscriber(app.db, subscriber.id, name)
      return name ? translateKey('name-saved', { name }) : translateKey('name-deleted')
    }
    default:
      throw new AppError('invalid', 'nothing was changed: the form was incomplete', {
        hint: 'Go back and use one of the buttons.',
      })
  }
}

function preferencesView({ key, subscriber, subscription, digest, language }: Recipient, done: string) {
  const hasLeft = subscription.leftAt !== null
  return {
    language,
    title: translate(language, 'page.preferences'),
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
