import { afterEach, expect, test } from 'vitest'
import { relaysOf } from '../../../src/config/config.ts'
import { type Allowance, type Day, openAllowance } from '../../../src/deliveries/limits/daily-quota.ts'
import { Relays } from '../../../src/deliveries/relays/relays.ts'
import { countSentOn } from '../../../src/store/limits/daily-quotas.ts'
import { addDays } from '../../../src/time/zone.ts'
import { type FakeClock, fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { openWorld, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function dayOf(now: string, most: number): Day {
  const date = now.slice(0, 10)
  return { date, most, ends: `${addDays(date, 1)}T00:00:00.000Z` }
}

onBothEngines('so many a day', (freshUrl) => {
  async function world(clock?: FakeClock): Promise<World> {
    const it = await openWorld({ storeUrl: await freshUrl(), ...(clock && { clock }) })
    closing.push(it.close)
    return it
  }

  /** Up to `most` of each day, and how many of a day the store has as taken. */
  async function allowing(most: number): Promise<{
    allowance: Allowance
    clock: FakeClock
    counted: (date: string) => Promise<number>
  }> {
    const clock = fakeClock('2026-11-27T23:59:00.000Z')
    const { db } = (await world(clock)).app
    return {
      allowance: openAllowance({ db, clock }, 'a', (now) => dayOf(now, most)),
      clock,
      counted: (date) => countSentOn(db, { name: 'a', day: date }),
    }
  }

  test('what is given back while the store is asked for more may go', async () => {
    const { allowance, counted } = await allowing(2)
    expect(await allowance.spent()).toBeUndefined()
    expect([allowance.take(), allowance.take(), allowance.take()]).toEqual([true, true, false])
    const asked = allowance.spent()
    allowance.settle(false)
    expect(await asked).toBeUndefined()
    expect([allowance.take(), allowance.take()]).toEqual([true, false])
    allowance.settle(true)
    allowance.settle(true)
    await allowance.close()
    expect(await counted('2026-11-27')).toBe(2)
  })

  test('two that ask at the same time get what each was given', async () => {
    const { allowance, counted } = await allowing(30)
    await Promise.all([allowance.spent(), allowance.spent()])
    await allowance.close()
    expect(await counted('2026-11-27')).toBe(0)
  })

  test('what is on its way at midnight counts for the day on which it began, and nothing of it for the next', async () => {
    const { allowance, clock, counted } = await allowing(2)
    await allowance.spent()
    expect(allowance.take()).toBe(true)
    clock.set('2026-11-28T00:00:00.000Z')
    const asked = allowance.spent()
    allowance.settle(false)
    expect(await asked).toBeUndefined()
    expect([allowance.take(), allowance.take(), allowance.take()]).toEqual([true, true, false])
    expect([await counted('2026-11-27'), await counted('2026-11-28')]).toEqual([1, 2])
  })

  test('a relay is not believed to have had its day by what was given back meanwhile, at whatever moment', async () => {
    const { app } = await world()
    const { db, config } = app
    for (let moment = 0; moment < 60; moment++) {
      const [first] = relaysOf(config)
      if (!first) throw new Error('no relay')
      const relays = new Relays({ db, clock: fakeClock() }, [{ ...first, name: `relay${moment}`, perDay: 1 }])
      const relay = relays.named(null)
      const { signal } = new AbortController()
      expect(await relay?.admit(signal)).toBe(true)
      const admitted = relay?.admit(signal)
      for (let tick = 0; tick < moment; tick++) await undefined
      relay?.settle({ kind: 'refused', reply: '550 5.1.1 no such user' }, undefined)
      const wasAdmitted = await admitted
      if (!wasAdmitted) expect(relays.blocked(), `after ${moment} ticks`).toBeUndefined()
      expect(await relay?.admit(signal), `after ${moment} ticks`).toBe(!wasAdmitted)
    }
  })
})
