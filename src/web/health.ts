import { type Context, Hono } from 'hono'
import manifest from '../../package.json' with { type: 'json' }
import { second } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { brakeNow } from '../store/brake.ts'
import { failureNames } from '../store/failure.ts'
import type { Env, Web } from './answer.ts'
import { urls } from './urls.ts'

/**
 * For whoever watches over the process: 200 if the database answers and the last write to it succeeded; else 503 with the
 * kind of failure and its beginning, as "database unreachable since 2026-11-27T09:00:00.000Z".
 */
export function healthPage({ app }: Web): Hono<Env> {
  return new Hono<Env>().get(urls.health, async (context: Context<Env>) => {
    const facts = { store: app.store.engine.name, version: manifest.version }
    try {
      const brake = (await soon(brakeNow(app.db))) ? 'on' : 'off' // why, is nobody's business here
      const status = outageText(app)
      return status ? context.json({ status, ...facts }, 503) : context.json({ status: 'ok', brake, ...facts })
    } catch (error) {
      app.log.error({ error: messageOf(error) }, 'the database does not answer')
      return context.json({ status: outageText(app) ?? 'the database does not answer', ...facts }, 503)
    }
  })
}

function outageText({ store }: Web['app']): string | undefined {
  const { outage } = store.availability
  return outage && `${failureNames[outage.error.kind]} since ${outage.since}`
}

const maxWaitMs = 5 * second

/** The result, if it comes in time: a server that vanished without a word does not even refuse. */
async function soon<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer in ${maxWaitMs / second} s`)), maxWaitMs)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
