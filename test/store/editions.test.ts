import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { editionByNumber } from '../../src/store/editions.ts'
import { openStore } from '../../src/store/open.ts'
import { onBothEngines } from '../support/engines.ts'

onBothEngines('an edition', (freshUrl) => {
  test.each([Number.NaN, 1.5, -1, 0, 2 ** 31, 99_999_999_999])('has no number like %s', async (number) => {
    const { db, close } = await openStore(await freshUrl(), systemClock)
    expect(await editionByNumber(db, 'weekly', number).finally(close)).toBeUndefined()
  })
})
