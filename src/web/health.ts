import { type Context, Hono } from 'hono'
import manifest from '../../package.json' with { type: 'json' }
import { messageOf } from '../errors.ts'
import { brakeNow } from '../store/brake.ts'
import type { Env, Web } from './answer.ts'
import { urls } from './urls.ts'

/** For whoever watches over the process: 200 if the store answers, 503 if it does not. */
export function healthPage({ app }: Web): Hono<Env> {
  return new Hono<Env>().get(urls.health, async (context: Context<Env>) => {
    const facts = { store: app.store.engine.name, version: manifest.version }
    try {
      const brake = (await brakeNow(app.db)) ? 'on' : 'off' // why, is nobody's business here
      return context.json({ status: 'ok', brake, ...facts })
    } catch (error) {
      app.log.error({ error: messageOf(error) }, 'the store does not answer')
      return context.json({ status: 'the store does not answer', ...facts }, 503)
    }
  })
}
