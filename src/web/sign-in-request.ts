import { randomUUID } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { clientNetwork } from '../http/client-network.ts'
import { mailedLinkMinutes, requestSignInMail } from '../pipeline/sign-in/sign-in-mail.ts'
import { addressKey, parseAddress } from '../subscribers/address.ts'
import { minute } from '../time/clock.ts'
import { requireOwnOrigin } from './csrf.ts'
import { withTimeout } from './deadline.ts'
import { RequestBudget } from './request-budget.ts'
import { type Env, readForm, renderMessage, renderPage, type Web } from './response.ts'
import { studioPath } from './studio-path.ts'
import { urls } from './urls.ts'

const windowMs = 15 * minute

/** The form that sends a sign-in link by email. */
export function signInRequestPages(web: Web): Hono<Env> {
  const { clock } = web.app
  const budgets = {
    address: new RequestBudget(clock, { max: 3, windowMs }),
    network: new RequestBudget(clock, { max: 10, windowMs }),
  }
  return new Hono<Env>()
    .get(urls.signInRequest, (context) => showForm(web, context))
    .post(urls.signInRequest, requireOwnOrigin(web), (context) => requestLink(web, context, budgets))
}

function showForm(web: Web, context: Context<Env>): Response {
  const next = studioPath(context.req.query('next'))
  return renderSignInForm(web, context, { title: 'Sign in', text: [], next }, 200)
}

type FormView = { title: string; text: string[]; next: string; problem?: string }

/** The form that asks for a link. After signing in, the page `next` opens. */
export function renderSignInForm(web: Web, context: Context<Env>, view: FormView, status: 200 | 400 | 401 | 404) {
  return renderPage(web, context, 'sign-in-request', { problem: '', ...view }, status)
}

type Budgets = { address: RequestBudget; network: RequestBudget }

async function requestLink(web: Web, context: Context<Env>, budgets: Budgets): Promise<Response> {
  const { email = '', next: wanted } = await readForm(context)
  const next = studioPath(wanted)
  const address = parseAddress(email)
  if (address === undefined) {
    const problem = 'That is not an email address. Please check it.'
    return renderSignInForm(web, context, { title: 'Sign in', text: [], next, problem }, 400)
  }
  const isAllowed = budgets.network.take(networkOf(context)) && budgets.address.take(addressKey(address))
  if (!isAllowed) return showTooMany(web, context)
  await withTimeout(web.maxStoreWaitMs, requestSignInMail(web.app, { id: randomUUID(), address, next }))
  return renderMessage(web, context, 200, {
    title: 'Check your email',
    text: [
      `If ${address} is an editor’s address here, an email with a sign-in link is on the way. The link works once, and for ${mailedLinkMinutes} minutes.`,
      `No email after a few minutes? Look in your spam folder, or write to ${web.app.config.publication.contact}.`,
    ],
  })
}

function showTooMany(web: Web, context: Context<Env>): Response {
  context.header('Retry-After', String(windowMs / 1000))
  return renderMessage(web, context, 429, {
    title: 'Too many sign-in emails',
    text: ['Use a link that you already got, or try again in 15 minutes.'],
  })
}

/** Empty without a network connection, as in tests. */
function networkOf(context: Context<Env>): string {
  const peer =
    context.env instanceof Object && 'incoming' in context.env ? getConnInfo(context).remote.address : undefined
  return clientNetwork(peer ?? '', context.req.header('X-Forwarded-For'))
}
