import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { allWorkers } from '../../src/store/system/workers.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { openWorld } from '../support/world.ts'

onBothEngines('a sender', (freshUrl) => {
  test('that cannot begin leaves no row that others take for a sender at work', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    await sql`drop table paces`.execute(it.app.db)
    await expect(openSender(it.app)).rejects.toThrow('paces')
    expect(await allWorkers(it.app.db)).toEqual([])
    await it.close()
  })
})
