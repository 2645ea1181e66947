import { afterEach, expect, test } from 'vitest'
import { openStore, type Store } from '../../src/store/open.ts'
import { addSubscribers, type ListCursor, listSubscribers } from '../../src/store/subscribers/subscribers.ts'
import { fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'

onBothEngines('the list of subscribers', (freshUrl) => {
  const clock = fakeClock()
  let store: Store
  afterEach(() => store.close())

  test.each([500, 7, 1])('has every subscription once, whatever digests there are, by pages of %i', async (limit) => {
    store = await openStore(await freshUrl(), clock)
    const people = Array.from({ length: 267 }, (_, index) => {
      const email = `reader${index}@readers.example`
      return { email, emailKey: email, name: '', attributes: {}, proof: 'test' }
    })
    for (const digest of ['weekly', 'daily', 'monthly'])
      await addSubscribers(store.db, digest, people.slice(0, limit === 500 ? 267 : 30), clock.now())
    const [first] = people
    if (first) await addSubscribers(store.db, 'yearly', people.slice(0, 1), clock.now())
    const listed: string[] = []
    for (let after: ListCursor | undefined; ; ) {
      const page = await listSubscribers(store.db, { after, limit })
      listed.push(...page.map(({ email, digest }) => `${email} ${digest}`))
      after = page.at(-1)
      if (!after) break
    }
    expect(listed).toHaveLength((limit === 500 ? 801 : 90) + 1)
    expect(new Set(listed).size).toBe(listed.length)
    const weekly = await listSubscribers(store.db, { digest: 'weekly', limit: 1000 })
    expect(weekly).toHaveLength(limit === 500 ? 267 : 30)
  })
})
