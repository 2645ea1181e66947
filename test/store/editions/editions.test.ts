import { expect, test } from 'vitest'
import { editionByNumber } from '../../../src/store/editions/editions.ts'
import { openStore } from '../../../src/store/open.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'

onBothEngines('an edition', (freshUrl) => {
  test.each([Number.NaN, 1.5, -1, 0, 2 ** 31, 99_999_999_999])('has no number like %s', async (number) => {
    const { db, close } = await openStore(await freshUrl(), systemClock)
    expect(await editionByNumber(db, 'weekly', number).finally(close)).toBeUndefined()
  })
})
