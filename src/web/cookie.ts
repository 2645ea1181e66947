import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Env, Web } from './response.ts'

/**
 * The session cookie (RFC 6265bis §4.1.3): `__Host-` over https, `__Secure-` if `web.url` has a path. Over http the name
 * includes the port, because browsers send cookies to every port of a host. Lax, not Strict, so that a link from an email
 * opens the studio signed in; Lax allows only GET, which changes nothing.
 */
function cookieOf({ app, base }: Web) {
  const { protocol, port } = new URL(app.config.web.url)
  const secure = protocol === 'https:'
  const name = secure ? `${base ? '__Secure' : '__Host'}-lastword` : `lastword-${port || '80'}`
  return { name, options: { httpOnly: true, sameSite: 'Lax', path: base || '/', secure } as const }
}

/** The session token of this browser; the session may have ended. */
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
