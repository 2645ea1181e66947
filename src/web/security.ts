import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type Env, pageLanguage, renderMessage, translateMessage, type Web } from './response.ts'
import { urls } from './urls.ts'

const basePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-src 'self'; base-uri 'none'"

/** Our pages: no scripts, styles only from our stylesheet. */
export const pagePolicy = `${basePolicy}; frame-ancestors 'none'`
/** Our pages inside a frame of our own. */
export const framePolicy = `${basePolicy}; frame-ancestors 'self'`

/** A sealed edition: inline styles, pictures from anywhere, no scripts, no origin; links work. */
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

/** Headers of every response, errors included. A handler may set its own policy and caching first. */
export const securityHeaders: MiddlewareHandler<Env> = async (context, next) => {
  await next()
  const defaults = { 'Content-Security-Policy': pagePolicy, 'Cache-Control': 'no-store' }
  for (const [name, value] of Object.entries(defaults)) if (!context.res.headers.has(name)) context.header(name, value)
  context.header('X-Content-Type-Options', 'nosniff')
  context.header('Referrer-Policy', 'no-referrer') // our addresses contain keys
}

const kilobyte = 1024

/** Refuses bodies over 64 KB. An unsubscribe request may be of any size, because its body is never read. */
export function limitBody(web: Web): MiddlewareHandler<Env> {
  const limit = bodyLimit({
    maxSize: 64 * kilobyte,
    onError: (context) => {
      const keys = { title: 'too-long', text: ['too-long-why'] }
      return renderMessage(web, context, 413, translateMessage(web, pageLanguage(web, context), keys))
    },
  })
  const leaving = urls.leave.replace(':key', '')
  return (context, next) => (isBelow(context.req.path, web.base, leaving) ? next() : limit(context, next))
}

function isBelow(path: string, base: string, start: string): boolean {
  return path.startsWith(start) || path.startsWith(base + start)
}
