import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono, type MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { App } from '../app.ts'
import { AppError, messageOf, systemCode } from '../errors.ts'
import { runAsTask } from '../runtime/task-time.ts'
import { second } from '../time/clock.ts'
import { showFailure, showNotFound } from './failure.ts'
import { healthPage } from './health.ts'
import { openPages } from './page.ts'
import { correctionActions } from './pages/corrections/correction-actions.ts'
import { feedActions } from './pages/feeds/feed-actions.ts'
import { letterPages } from './pages/letters/letter-pages.ts'
import { archivePages } from './pages/public/archive.ts'
import { confirmPages } from './pages/public/confirm.ts'
import { leavePages } from './pages/public/leave.ts'
import { picturePages } from './pages/public/pictures.ts'
import { preferencesPages } from './pages/public/preferences.ts'
import { editionActions } from './pages/studio/edition-actions.ts'
import { studioEditionPages } from './pages/studio/edition-page.ts'
import { studioPage } from './pages/studio/home.ts'
import { sendingActions } from './pages/studio/sending-actions.ts'
import type { Env, Web } from './response.ts'
import { limitBody, securityHeaders } from './security.ts'
import { requireStaff } from './session.ts'
import { SessionUse } from './session-use.ts'
import { keptFormPages, signInPages } from './sign-in.ts'
import { signInRequestPages } from './sign-in-request.ts'
import { stylePage } from './style.ts'
import { basePath, urls } from './urls.ts'

/** A running web server. `url` is where the process itself listens, behind any proxy. */
export type Serving = { url: string; close(): Promise<void> }

/** All pages, usable without a network: `webApp(app).request('/health')`. */
export function webApp(app: App, { maxStoreWaitMs = 5 * second } = {}): Hono<Env> {
  const base = basePath(app.config.web.url)
  const web: Web = { app, pages: openPages(), base, sessionUse: new SessionUse(app), maxStoreWaitMs }
  const hono = new Hono<Env>({ strict: false }) // also accept a slash at the end
  hono.use(nameWorkByRoute, securityHeaders, limitBody(web))
  hono.route('/', routes(web))
  if (base) hono.route(base, routes(web)) // for a proxy that does not strip the path
  hono.notFound((context) => showNotFound(web, context))
  hono.onError((error, context) => showFailure(web, context, error))
  return hono
}

/**
 * The most connections at once, and the time limits for the headers and the whole of a request. Connections over a limit
 * are closed, so that half-open requests do not pile up.
 */
export type ConnectionLimits = { maxConnections: number; headersTimeoutMs: number; requestTimeoutMs: number }

const connectionLimits = { maxConnections: 1000, headersTimeoutMs: 10 * second, requestTimeoutMs: 30 * second }

/** Serves the pages on `web.host` and `web.port` (0: any free port). AppError `unavailable` if it cannot listen there. */
export async function serve(app: App, limits: ConnectionLimits = connectionLimits): Promise<Serving> {
  const { maxConnections, headersTimeoutMs: headersTimeout, requestTimeoutMs: requestTimeout } = limits
  const serverOptions = { headersTimeout, requestTimeout, connectionsCheckingInterval: Math.ceil(headersTimeout / 5) }
  const server = createAdaptorServer({ fetch: webApp(app).fetch, serverOptions }) as Server
  server.maxConnections = maxConnections
  const url = await listen(server, app.config.web)
  return { url, close: () => closeServer(server) }
}

/** Names the task by its route and not its address, which may contain a key. */
const nameWorkByRoute: MiddlewareHandler<Env> = (context, next) => {
  const route = matchedRoutes(context).findLast(({ path }) => !path.endsWith('*'))
  const pattern = route?.path.replace(/\{[^}]*\}/g, '') // without the patterns of parameters
  return runAsTask(`page ${context.req.method} ${pattern ?? 'of no route'}`, next)
}

function routes(web: Web): Hono<Env> {
  const routes = new Hono<Env>()
  const publicPages = [
    archivePages,
    picturePages,
    leavePages,
    preferencesPages,
    confirmPages,
    stylePage,
    healthPage,
    signInRequestPages,
    signInPages,
  ]
  for (const open of publicPages) routes.route('/', open(web))
  routes.use(`${urls.studio}/*`, requireStaff(web)) // matches /studio too
  const staffPages = [
    studioPage,
    studioEditionPages,
    editionActions,
    correctionActions,
    feedActions,
    letterPages,
    sendingActions,
    keptFormPages,
  ]
  for (const closed of staffPages) routes.route('/', closed(web))
  return routes
}

function listen(server: Server, { host, port }: App['config']['web']): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, host, port)))
    server.listen(port, host, () => {
      const address = server.address()
      const bound = typeof address === 'object' && address ? address.port : port
      resolve(`http://${reachableHost(host)}:${bound}`)
    })
  })
}

function cannotListen(error: Error, host: string, port: number): AppError {
  const code = systemCode(error)
  const hints: Record<string, string> = {
    EADDRINUSE: 'Stop the program that uses it, or choose another with web.port in lastword.yml or LASTWORD_WEB__PORT.',
    EACCES: 'Ports below 1024 need special rights: choose a higher one with web.port, behind a proxy.',
    EADDRNOTAVAIL: 'This machine has no such interface: correct web.host; 0.0.0.0 listens on all.',
  }
  const what = code === 'EADDRINUSE' ? `port ${port} of ${host} is taken` : `cannot listen on port ${port} of ${host}`
  const message = code === 'EADDRINUSE' ? what : `${what}: ${messageOf(error)}`
  return new AppError('unavailable', message, { hint: hints[code ?? ''], cause: error })
}

/** An address that a person on this machine can open. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** Finishes open requests, but closes all connections after five seconds. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const closeTimer = setTimeout(() => server.closeAllConnections(), 5 * second)
    server.close(() => {
      clearTimeout(closeTimer)
      resolve()
    })
  })
}
