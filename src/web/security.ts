import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type Env, renderMessage, type Web } from './response.ts'
import { urls } from './urls.ts'

const basePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-src 'self'; base-uri 'none'"

/** Pages of ours: no script at all, styles from our one file. */
export const pagePolicy = `${basePolicy}; frame-ancestors 'none'`
/** A page of ours that stands in a frame of ours. */
export const framePolicy = `${basePolicy}; frame-ancestors 'self'`

/** A sealed letter: its own styles, pictures from anywhere, no scripts and no origin; its links work. */
const emailPolicy = [
  "default-src 'none'",
  'img-src https: http: data:',
  "style-src 'unsafe-inline'",
  "form-action 'none'",
  "base-uri 'none'",
  'sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation',
].join('; ')
export const archivePolicy = `${emailPolicy}; frame-ancestors 'none'`
export const previewPolicy = `${emailPolicy}; frame-ancestors 'self'`

/** Headers of every answer, failures among them. A handler may set its own policy and caching before. */
export const securityHeaders: MiddlewareHandler<Env> = async (context, next) => {
  await next()
  const defaults = { 'Content-Security-Policy': pagePolicy, 'Cache-Control': 'no-store' }
  for (const [name, value] of Object.entries(defaults)) if (!context.res.headers.has(name)) context.header(name, value)
  context.header('X-Content-Type-Options', 'nosniff')
  context.header('Referrer-Policy', 'no-referrer') // addresses of ours hold keys
}

const kilobyte = 1024

/** No form of ours is larger than a few lines. The body of who wants to leave is not read, so it may be of any length. */
export function limitBody(web: Web): MiddlewareHandler<Env> {
  const limit = bodyLimit({
    maxSize: 64 * kilobyte,
    onError: (context) =>
      renderMessage(web, context, 413, {
        title: 'That is too much',
        text: ['We take up to 64 KB at once. Nothing was changed. Please go back and send less.'],
      }),
  })
  const leaving = urls.leave.replace(':key', '')
  return (context, next) => (isBelow(context.req.path, web.base, leaving) ? next() : limit(context, next))
}

function isBelow(path: string, base: string, start: string): boolean {
  return path.startsWith(start) || path.startsWith(base + start)
}
