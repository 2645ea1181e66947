import { type Context, Hono } from 'hono'
import manifest from '../../package.json' with { type: 'json' }
import { messageOf } from '../errors.ts'
import { currentSendingStop } from '../store/deliveries/sending-stop.ts'
import { failureNames } from '../store/drivers/failure.ts'
import { withTimeout } from './deadline.ts'
import type { Env, Session, Web } from './response.ts'
import { readSession } from './session.ts'
import { urls } from './urls.ts'

/** `session` is that of the request; `problem` is what is wrong, if anything. */
type State = { session: Session | undefined; sending: 'allowed' | 'stopped' | 'unknown'; problem: string | undefined }

/**
 * For monitoring: 200 "ok" if the database answers and the last write succeeded, else 503 "not ok". Signed-in staff also
 * get the version, the engine, whether sending is stopped, and the failure, such as "disk full since 2026-11-27T09:00:00.000Z".
 */
export function healthPage(web: Web): Hono<Env> {
  return new Hono<Env>().get(urls.health, async (context) => {
    const { session, sending, problem } = await stateOf(web, context)
    if (problem !== undefined) web.app.log.error({ event: 'health.not_ok', problem }, 'health: not ok')
    const status = problem === undefined ? 200 : 503
    if (!session) return context.json({ status: problem === undefined ? 'ok' : 'not ok' }, status)
    const facts = { sending, store: web.app.store.engine.name, version: manifest.version }
    return context.json({ status: problem ?? 'ok', ...facts }, status)
  })
}

async function stateOf(web: Web, context: Context<Env>): Promise<State> {
  try {
    const reads = Promise.all([readSession(web, context), currentSendingStop(web.app.db)])
    const [session, sendingStop] = await withTimeout(web.maxStoreWaitMs, reads)
    return { session, sending: sendingStop ? 'stopped' : 'allowed', problem: outageText(web.app) }
  } catch (error) {
    const problem = outageText(web.app) ?? `the database does not answer: ${messageOf(error)}`
    return { session: undefined, sending: 'unknown', problem }
  }
}

function outageText({ store }: Web['app']): string | undefined {
  const { outage } = store.availability
  return outage && `${failureNames[outage.error.kind]} since ${outage.since}`
}
