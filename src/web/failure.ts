import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, type ErrorCode } from '../errors.ts'
import { storeErrorIn } from '../store/drivers/failure.ts'
import { capitalise } from '../text/words.ts'
import { isDatabaseUnavailable } from './deadline.ts'
import { type Env, pageLanguage, renderMessage, translateMessage, type Web } from './response.ts'
import { isStaffPath } from './urls.ts'

const httpStatuses: Record<ErrorCode, ContentfulStatusCode> = {
  invalid: 400,
  missing: 404,
  conflict: 409,
  forbidden: 403,
  unavailable: 503,
  internal: 500,
}

const titles: Partial<Record<ErrorCode, string>> = {
  invalid: 'That can’t be done',
  missing: 'Not found',
  conflict: 'Not done',
  forbidden: 'Not allowed',
}

export function statusOf(error: AppError): ContentfulStatusCode {
  return httpStatuses[error.code]
}

/** The text with a capital at the start and a full stop at the end. */
export function sentence(text: string): string {
  return capitalise(text) + (/[.!?…]$/.test(text) ? '' : '.')
}

export function showNotFound(web: Web, context: Context<Env>): Response {
  return renderMessage(web, context, 404, translated(web, context, { title: 'not-found', text: ['no-page'] }))
}

/** Shows an error that a person can act on; logs any other and shows a reference to the log line. */
export function showFailure(web: Web, context: Context<Env>, error: Error): Response {
  if (context.req.raw.signal.aborted) return context.body(null, 400) // the client has hung up: nothing failed
  if (isDatabaseUnavailable(error)) return showDatabaseUnavailable(web, context, error)
  const message = error instanceof AppError ? messageFor(web, context, error) : undefined
  if (!(error instanceof AppError) || !message) return showInternalError(web, context, error)
  return renderMessage(web, context, statusOf(error), message)
}

type PageMessage = { title: string; text: string[] }

/** The error's own words, which are English, for staff; the words of its code for readers. */
function messageFor(web: Web, context: Context<Env>, error: AppError): PageMessage | undefined {
  const { code, message, hint } = error
  if (!isStaffPath(context.req.path, web.base)) {
    const keys = publicMessages[code]
    return keys && translated(web, context, keys)
  }
  const title = titles[code]
  return title === undefined ? undefined : { title, text: [sentence(message), ...(hint ? [hint] : [])] }
}

/** What readers get for the errors of public pages, as keys of the texts. */
const publicMessages: Partial<Record<ErrorCode, PageMessage>> = {
  invalid: { title: 'not-done', text: ['form-incomplete', 'form-incomplete-help'] },
  missing: { title: 'not-found', text: ['no-edition', 'no-edition-yet'] },
  forbidden: { title: 'not-allowed', text: ['other-site', 'other-site-help'] },
}

function translated(web: Web, context: Context<Env>, keys: PageMessage, values = {}): PageMessage {
  return translateMessage(web, pageLanguage(web, context), keys, values)
}

/** Not a bug: one log line without a stack. The page does not reveal where the database is. */
function showDatabaseUnavailable(web: Web, context: Context<Env>, error: Error): Response {
  const { method, path } = context.req
  web.app.log.error(
    { event: 'page.database_away', method, path: withoutSecrets(path), error: reasonOf(error) },
    'page failed: database unavailable',
  )
  context.header('Retry-After', '30')
  return renderMessage(web, context, 503, translated(web, context, { title: 'unavailable', text: ['unavailable-why'] }))
}

function reasonOf(error: Error): string {
  return storeErrorIn(error)?.message ?? error.message
}

function showInternalError(web: Web, context: Context<Env>, error: Error): Response {
  const reference = randomBytes(4).toString('hex')
  const { method, path } = context.req
  const fields = { event: 'page.internal_error', reference, method, path: withoutSecrets(path), err: error }
  web.app.log.error(fields, 'page failed: internal error')
  const keys = { title: 'internal-error', text: ['internal-error-why', 'internal-error-help'] }
  const message = translated(web, context, keys, { reference })
  return renderMessage(web, context, error instanceof AppError ? statusOf(error) : 500, message)
}

/** Hides keys and tokens: with one from the log anyone could act as the subscriber or editor. */
function withoutSecrets(path: string): string {
  return path.replace(/(\/(?:leave|preferences|confirm|sign-in)\/).+/, '$1…')
}
