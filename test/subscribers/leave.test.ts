import { afterEach, expect, test } from 'vitest'
import type { Reason } from '../../src/store/events/reason.ts'
import { toJson } from '../../src/store/json.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { outcomesOf } from '../../src/store/subscribers/outcomes.ts'
import {
  addSubscribers,
  countActive,
  subscriberByEmail,
  subscriptionsOf,
} from '../../src/store/subscribers/subscribers.ts'
import { leave } from '../../src/subscribers/leave.ts'
import { fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'

onBothEngines('leaving', (freshUrl) => {
  const clock = fakeClock()
  let store: Store
  afterEach(() => store.close())

  async function withMira() {
    clock.set('2026-11-27T07:00:00.000Z')
    store = await openStore(await freshUrl(), clock)
    const { db } = store
    for (const digest of ['weekly', 'daily']) {
      const people = ['mira', 'tom'].map((name) => {
        const email = `${name}@example.org`
        return { email, emailKey: email, name, attributes: {}, proof: 'a form' }
      })
      await addSubscribers(db, digest, people, clock.now())
    }
    const mira = await subscriberByEmail(db, 'mira@example.org')
    if (!mira) throw new Error('mira is not there')
    clock.advance(1000)
    return { db, clock, act: { subscriberId: mira.id, digest: 'weekly', editionId: null, how: 'one click' } }
  }

  test('works at once, for this digest and this person only, and is on record', async () => {
    const { act, ...needs } = await withMira()
    expect(await leave(needs, act)).toBe(true)
    expect(await countActive(needs.db, 'weekly')).toBe(1)
    expect(await countActive(needs.db, 'daily')).toBe(2)
    const [daily, weekly] = await subscriptionsOf(needs.db, act.subscriberId)
    expect([daily?.leftAt, weekly?.leftAt]).toEqual([null, '2026-11-27T07:00:01.000Z'])
    expect(await outcomesOf(needs.db, act.subscriberId)).toMatchObject([
      {
        kind: 'leave',
        at: '2026-11-27T07:00:01.000Z',
        detail: toJson<Reason>({ code: 'unsubscribed', digest: 'weekly', how: 'one click' }),
        editionId: null,
      },
    ])
  })

  test('twice changes nothing, not even the time, and is on record once', async () => {
    const { act, ...needs } = await withMira()
    await leave(needs, act)
    clock.advance(60_000)
    expect(await leave(needs, act)).toBe(false)
    const subscriptions = await subscriptionsOf(needs.db, act.subscriberId)
    expect(subscriptions.find((one) => one.digest === 'weekly')?.leftAt).toBe('2026-11-27T07:00:01.000Z')
    expect(await outcomesOf(needs.db, act.subscriberId)).toHaveLength(1)
  })

  test('ten times at the same moment ends it once', async () => {
    const { act, ...needs } = await withMira()
    const ended = await Promise.all(Array.from({ length: 10 }, () => leave(needs, act)))
    expect(ended.filter(Boolean)).toHaveLength(1)
    expect(await outcomesOf(needs.db, act.subscriberId)).toHaveLength(1)
  })

  test('what one never had, or as nobody, is no error and leaves no record', async () => {
    const { act, ...needs } = await withMira()
    expect(await leave(needs, { ...act, digest: 'monthly' })).toBe(false)
    expect(await leave(needs, { ...act, subscriberId: '019ad2f4-7b1c-7def-8abc-0123456789ab' })).toBe(false)
    expect(await needs.db.selectFrom('outcomes').selectAll().execute()).toEqual([])
  })

  test('inside a transaction that fails has not happened', async () => {
    const { act, ...needs } = await withMira()
    const failed = needs.db.transaction().execute(async (db) => {
      expect(await leave({ db, clock }, act)).toBe(true)
      throw new Error('later')
    })
    await expect(failed).rejects.toThrow('later')
    expect(await countActive(needs.db, 'weekly')).toBe(2)
    expect(await outcomesOf(needs.db, act.subscriberId)).toEqual([])
  })
})
