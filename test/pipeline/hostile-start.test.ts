import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { onBothEngines } from '../support/databases/engines.ts'
import { makeHome } from '../support/home.ts'
import { runHostile } from '../support/hostile/start.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a start that reads hostile feeds and hears a hostile relay', (freshUrl) => {
  test('answers all the time, says of each feed what became of it, and records each answer on one line', async () => {
    const { feeds, deliveries, health } = await runHostile(await freshUrl(), { scale: 0.05 })
    expect(Object.values(feeds).filter((sentence) => !/\w+ \w+ \w+/.test(sentence))).toEqual([])
    expect(feeds['/good.rss']).toBe('1 articles, 0 entries rejected')
    expect(feeds['/short-titles.rss']).toBe('100 articles, 0 entries rejected')
    expect(health.failures).toBe(0)
    expect(health.answers).toBeGreaterThan(20)
    expect(deliveries).toHaveLength(8)
    for (const { status, reply } of deliveries) {
      expect(['accepted', 'deferred']).toContain(status)
      expect(reply?.length).toBeLessThanOrEqual(1000)
      expect(reply).toMatch(/^[^\p{Cc}\u202e]+$/u)
    }
  }, 240_000)
})

test('start warns when something has held its event loop', async () => {
  const home = makeHome({ environment: { LASTWORD_WEB__PORT: '0' } })
  closing.push(home.remove)
  const { child, ended } = home.begin('start')
  closing.push(() => child.kill('SIGKILL'))
  const { promise: serving, resolve: serves } = Promise.withResolvers<void>()
  const { promise: warned, resolve: warns } = Promise.withResolvers<string>()
  child.stdout?.on('data', (chunk) => `${chunk}`.includes('Pages:') && serves())
  child.stderr?.on('data', (chunk) => `${chunk}`.includes('event_loop.delayed') && warns(`${chunk}`))
  await Promise.race([serving, ended])
  child.kill('SIGSTOP')
  await wait(1000) // so long nothing of it runs
  child.kill('SIGCONT')
  expect(await Promise.race([warned, ended])).toContain('"task":')
  child.kill('SIGTERM')
  await ended
})
