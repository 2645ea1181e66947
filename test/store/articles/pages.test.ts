import { expect, test } from 'vitest'
import { deleteOldPages, pageAt, robotsOf, savePage, saveRobots } from '../../../src/store/articles/pages.ts'
import type { Reason } from '../../../src/store/events/reason.ts'
import { toJson } from '../../../src/store/json.ts'
import { openStore } from '../../../src/store/open.ts'
import { addMs, day } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'

onBothEngines('pages and robots.txt files that were read', (freshUrl) => {
  test('are forgotten after the given time, and all but the newest so many before', async () => {
    const clock = fakeClock()
    const { db, close } = await openStore(await freshUrl(), clock)
    try {
      const now = clock.now()
      for (let number = 0; number < 6; number++) {
        const fetchedAt = addMs(now, -number * day)
        await savePage(db, {
          url: `https://x.example/${number}`,
          fetchedAt,
          found: null,
          error: toJson<Reason>({ code: 'page-unchanged' }),
        })
        await saveRobots(db, `https://${number}.example`, '[]', fetchedAt)
      }
      const left = async () => {
        const numbers = []
        for (let number = 0; number < 6; number++) {
          const [page, robots] = [
            await pageAt(db, `https://x.example/${number}`),
            await robotsOf(db, `https://${number}.example`),
          ]
          expect(page === undefined).toBe(robots === undefined)
          if (page) numbers.push(number)
        }
        return numbers
      }
      await deleteOldPages(db, { maxRows: 100, before: addMs(now, -4 * day) })
      expect(await left()).toEqual([0, 1, 2, 3, 4])
      await deleteOldPages(db, { maxRows: 3, before: addMs(now, -4 * day) })
      expect(await left()).toEqual([0, 1, 2])
    } finally {
      await close()
    }
  })
})
