import { type Context, Hono } from 'hono'
import { translate } from '../../../describe/translate.ts'
import { languageOf } from '../../../editions/digest.ts'
import { readConfirmationToken } from '../../../mail/keys.ts'
import type { ConfirmationRow } from '../../../store/schema.ts'
import { subscriberById } from '../../../store/subscribers/subscribers.ts'
import { confirmationLifetimeMs, confirmResubscription, findConfirmation } from '../../../subscribers/resubscribe.ts'
import { day } from '../../../time/clock.ts'
import { requireSameSite } from '../../csrf.ts'
import { withTimeout } from '../../deadline.ts'
import { keyParam, withCatchAllParam } from '../../key.ts'
import { type Env, pageLanguage, renderMessage, renderPage, translateMessage, type Web } from '../../response.ts'
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
  return await showResult(web, context, confirmation, { title: isDone ? 'confirmed' : 'confirm', isDone })
}

async function confirm(web: Web, context: Context<Env>): Promise<Response> {
  const confirmation = await confirmationOf(web, context)
  if (!confirmation) return expiredPage(web, context)
  switch (await withTimeout(web.maxStoreWaitMs, confirmResubscription(web.app, confirmation.id))) {
    case 'resubscribed':
      return await showResult(web, context, confirmation, { title: 'welcome-back', isDone: true })
    case 'already subscribed':
      return await showResult(web, context, confirmation, { title: 'confirmed', isDone: true })
    case 'suppressed': {
      const { language } = digestOf(web, confirmation)
      const keys = { title: 'cannot-send', text: ['cannot-send-why', 'cannot-send-help'] }
      return renderMessage(web, context, 409, translateMessage(web, language, keys))
    }
    case 'expired':
      return expiredPage(web, context)
  }
}

/** `title` is the key of the page's title. */
async function showResult(
  web: Web,
  context: Context<Env>,
  confirmation: ConfirmationRow,
  { title: titleKey, isDone }: { title: string; isDone: boolean },
): Promise<Response> {
  const { title: digest, language } = digestOf(web, confirmation)
  const title = translate(language, `page.${titleKey}`, { digest })
  return renderPage(web, context, 'confirm', { language, title, address: await addressOf(web, confirmation), isDone })
}

async function confirmationOf({ app }: Web, context: Context<Env>): Promise<ConfirmationRow | undefined> {
  return await findConfirmation(app, readConfirmationToken(app.secret, keyParam(context)))
}

function digestOf({ app }: Web, { digest: name }: ConfirmationRow): { title: string; language: string } {
  const digest = app.digests.find((one) => one.name === name)
  return { title: digest?.title ?? name, language: languageOf(digest, app.config.publication) }
}

async function addressOf({ app }: Web, { subscriberId }: ConfirmationRow): Promise<string> {
  return maskEmail((await subscriberById(app.db, subscriberId))?.email ?? '')
}

/** One page for forged, unknown, used and expired links, so that it reveals nothing. */
function expiredPage(web: Web, context: Context<Env>): Response {
  const keys = { title: 'expired-link', text: ['expired-link-why', 'expired-link-new', 'expired-link-help'] }
  const values = { days: confirmationLifetimeMs / day }
  return renderMessage(web, context, 404, translateMessage(web, pageLanguage(web, context), keys, values))
}
