import { afterEach, expect, test } from 'vitest'
import { relaysOf } from '../../../src/config/config.ts'
import { DailyQuota, relayQuota } from '../../../src/deliveries/limits/daily-quota.ts'
import { RelayPool } from '../../../src/deliveries/relays/relay-pool.ts'
import { countSentOn } from '../../../src/store/limits/daily-quotas.ts'
import { type FakeClock, fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { openWorld, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('so many a day', (freshUrl) => {
  async function world(clock?: FakeClock): Promise<World> {
    const it = await openWorld({ storeUrl: await freshUrl(), ...(clock && { clock }) })
    closing.push(it.close)
    return it
  }

  /** Up to `most` of each day, and how many of a day the store has as taken. */
  async function allowing(most: number): Promise<{
    quota: DailyQuota
    take: () => boolean
    exhausted: () => Promise<unknown>
    clock: FakeClock
    counted: (date: string) => Promise<number>
  }> {
    const clock = fakeClock('2026-11-27T23:59:00.000Z')
    const { db } = (await world(clock)).app
    const quota = new DailyQuota({ db, clock }, relayQuota('a', most))
    return {
      quota,
      take: () => quota.reserve() === 'ok',
      exhausted: async () => {
        await quota.refill()
        return quota.exhausted
      },
      clock,
      counted: (date) => countSentOn(db, { name: 'a', day: date }),
    }
  }

  test('what is given back while the store is asked for more may go', async () => {
    const { quota, take, exhausted, counted } = await allowing(2)
    expect(await exhausted()).toBeUndefined()
    expect([take(), take(), take()]).toEqual([true, true, false])
    const asked = exhausted()
    quota.settle(undefined)
    expect(await asked).toBeUndefined()
    expect([take(), take()]).toEqual([true, false])
    quota.settle({ kind: 'accepted', reply: '250 taken' })
    quota.settle({ kind: 'accepted', reply: '250 taken' })
    await quota.close()
    expect(await counted('2026-11-27')).toBe(2)
  })

  test('a message that may be out counts, and one that was refused does not', async () => {
    const { quota, take, exhausted, counted } = await allowing(2)
    await exhausted()
    expect([take(), take(), take()]).toEqual([true, true, false])
    quota.settle({ kind: 'unknown', reply: 'connection lost after the message' })
    expect(take()).toBe(false)
    quota.settle({ kind: 'refused', reply: '550 5.1.1 no such user' })
    expect([take(), take()]).toEqual([true, false])
    quota.settle({ kind: 'refused', reply: '550 5.1.1 no such user' })
    await quota.close()
    expect(await counted('2026-11-27')).toBe(1)
  })

  test('two that ask at the same time get what each was given', async () => {
    const { quota, exhausted, counted } = await allowing(30)
    await Promise.all([exhausted(), exhausted()])
    await quota.close()
    expect(await counted('2026-11-27')).toBe(0)
  })

  test('what is on its way at midnight counts for the day on which it began, and nothing of it for the next', async () => {
    const { quota, take, exhausted, clock, counted } = await allowing(2)
    await exhausted()
    expect(take()).toBe(true)
    clock.set('2026-11-28T00:00:00.000Z')
    const asked = exhausted()
    quota.settle(undefined)
    expect(await asked).toBeUndefined()
    expect([take(), take(), take()]).toEqual([true, true, false])
    expect([await counted('2026-11-27'), await counted('2026-11-28')]).toEqual([1, 2])
  })

  test('a relay is not believed to have had its day by what was given back meanwhile, at whatever moment', async () => {
    const { app } = await world()
    const { db, config } = app
    for (let moment = 0; moment < 60; moment++) {
      const [first] = relaysOf(config)
      if (!first) throw new Error('no relay')
      const relays = new RelayPool({ db, clock: fakeClock() }, [{ ...first, name: `relay${moment}`, perDay: 1 }])
      const relay = relays.named(null)
      const { signal } = new AbortController()
      expect(await relay?.admission.admit(signal)).toBe(true)
      const admitted = relay?.admission.admit(signal)
      for (let tick = 0; tick < moment; tick++) await undefined
      relay?.admission.settle({ kind: 'refused', reply: '550 5.1.1 no such user' }, undefined)
      const wasAdmitted = await admitted
      if (!wasAdmitted) expect(relays.blockedReason(), `after ${moment} ticks`).toBeUndefined()
      expect(await relay?.admission.admit(signal), `after ${moment} ticks`).toBe(!wasAdmitted)
    }
  })
})
