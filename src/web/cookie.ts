import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Env, Web } from './response.ts'

/**
 * The session cookie of one installation (RFC 6265bis §4.1.3). Over https its name has the prefix `__Host-`, or
 * `__Secure-` where the pages have a path of their own. A cookie goes to every port of its host, so over http the name
 * holds the port: two installations on one machine keep apart. Lax, not Strict: an editor who follows a link from an
 * email or a chat into the studio is signed in there too. What Lax would let through is a GET, and a GET changes nothing.
 */
function cookieOf({ app, base }: Web) {
  const { protocol, port } = new URL(app.config.web.url)
  const secure = protocol === 'https:'
  const name = secure ? `${base ? '__Secure' : '__Host'}-lastword` : `lastword-${port || '80'}`
  return { name, options: { httpOnly: true, sameSite: 'Lax', path: base || '/', secure } as const }
}

/** The token of the session, whether that still lasts or not. */
export function sessionToken(web: Web, context: Context<Env>): string | undefined {
  return getCookie(context, cookieOf(web).name) || undefined
}

/** The browser keeps the cookie for `maxAgeMs`. */
export function setSessionCookie(web: Web, context: Context<Env>, token: string, maxAgeMs: number): void {
  const { name, options } = cookieOf(web)
  setCookie(context, name, token, { ...options, maxAge: Math.floor(maxAgeMs / 1000) })
}

export function clearSessionCookie(web: Web, context: Context<Env>): void {
  const { name, options } = cookieOf(web)
  deleteCookie(context, name, options)
}
