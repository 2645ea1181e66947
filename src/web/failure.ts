import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, type ErrorCode } from '../errors.ts'
import { storeErrorIn } from '../store/drivers/failure.ts'
import { capitalise } from '../text/words.ts'
import { isDatabaseUnavailable } from './deadline.ts'
import { type Env, renderMessage, type Web } from './response.ts'

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
  const text = ['There is no page at this address. The link may be incomplete or out of date.']
  return renderMessage(web, context, 404, { title: 'Not found', text })
}

/** Shows an error that a person can act on; logs any other and shows a reference to the log line. */
export function showFailure(web: Web, context: Context<Env>, error: Error): Response {
  if (context.req.raw.signal.aborted) return context.body(null, 400) // the client has hung up: nothing failed
  if (isDatabaseUnavailable(error)) return showDatabaseUnavailable(web, context, error)
  const title = error instanceof AppError ? titles[error.code] : undefined
  if (!(error instanceof AppError) || !title) return showInternalError(web, context, error)
  const text = [sentence(error.message), ...(error.hint ? [error.hint] : [])]
  return renderMessage(web, context, statusOf(error), { title, text })
}

/** Not a bug: one log line without a stack. The page does not reveal where the database is. */
function showDatabaseUnavailable(web: Web, context: Context<Env>, error: Error): Response {
  const { method, path } = context.req
  web.app.log.error(
    { event: 'page.database_away', method, path: withoutSecrets(path), error: reasonOf(error) },
    'page failed: database unavailable',
  )
  context.header('Retry-After', '30')
  const text = ['We can’t reach our database right now. Please try again in a few minutes.']
  return renderMessage(web, context, 503, { title: 'Temporarily unavailable', text })
}

function reasonOf(error: Error): string {
  return storeErrorIn(error)?.message ?? error.message
}

function showInternalError(web: Web, context: Context<Env>, error: Error): Response {
  const reference = randomBytes(4).toString('hex')
  const { method, path } = context.req
  const fields = { event: 'page.internal_error', reference, method, path: withoutSecrets(path), err: error }
  web.app.log.error(fields, 'page failed: internal error')
  const text = [
    'This is our fault, not yours. Please try again in a minute.',
    `If it still fails, write to ${web.app.config.publication.contact} and quote the reference ${reference}.`,
  ]
  return renderMessage(web, context, error instanceof AppError ? statusOf(error) : 500, {
    title: 'Something went wrong',
    text,
  })
}

/** Hides keys and tokens: with one from the log anyone could act as the subscriber or editor. */
function withoutSecrets(path: string): string {
  return path.replace(/(\/(?:leave|preferences|confirm|sign-in)\/).+/, '$1…')
}
