import { type Kysely, sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { openApp } from '../../../src/app.ts'
import { compose } from '../../../src/editions/compose.ts'
import { silentLog } from '../../../src/log.ts'
import { sendSkippedRunNotices } from '../../../src/pipeline/notices/skipped-run.ts'
import { openSender } from '../../../src/pipeline/sender.ts'
import { addHistory } from '../../../src/store/editions/editions.ts'
import { migrate } from '../../../src/store/migrate.ts'
import type { Schema } from '../../../src/store/schema.ts'
import { minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { type Fault, startRelay } from '../../support/smtp/relay.ts'
import { newsFeed, openWorld, publishTitles } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a skipped run', (freshUrl) => {
  async function skipped(notify: boolean) {
    let fault: Fault
    const relay = await startRelay((stage) => (stage === 'dot' ? fault : undefined))
    closing.push(relay.close)
    const thin = `{ minimum: 3, rule: skip, notify: ${notify} }`
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, job: { thin } })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await compose(it.app, it.digest, it.clock.now())
    const sender = await openSender(it.app)
    closing.push(sender.close)
    const fail = (next: Fault) => {
      fault = next
    }
    return { it, tell: () => sendSkippedRunNotices(it.app, sender), relay, fail }
  }

  test('is told to the contact address once, with the reason', async () => {
    const { tell, relay } = await skipped(true)
    await tell()
    await tell()
    expect(relay.accepted.map(({ to }) => to)).toEqual(['letters@magazine.example'])
    const mail = relay.accepted[0]?.raw.toString().replaceAll('=\r\n', '') ?? ''
    expect(mail).toContain('Subject: Skipped: weekly of 2026-11-27T07:00:00.000Z')
    expect(mail).toContain('skipped: 2 articles where at least 3 are wanted')
    expect(mail).toMatch(/https:\/\/letters\.magazine\.example\/studio\/editions\/[0-9a-f-]{36}\r\n/)
  })

  test('is told again when the relay could not take it', async () => {
    const { tell, relay, fail } = await skipped(true)
    fail('451 4.3.0 later')
    await tell()
    expect(relay.accepted).toEqual([])
    fail(undefined)
    await tell()
    expect(relay.accepted).toHaveLength(1)
  })

  test('is told once by two processes that look at the same moment', async () => {
    const { it, tell, relay } = await skipped(true)
    const another = await openApp({ config: it.app.config, clock: it.clock, log: silentLog })
    closing.push(another.close)
    const sender = await openSender(another)
    closing.push(sender.close)
    await Promise.all([tell(), sendSkippedRunNotices(another, sender)])
    await Promise.all([tell(), sendSkippedRunNotices(another, sender)])
    expect(relay.accepted).toHaveLength(1)
  })

  test('is told by another process when the one that took it on has died over it, and not before', async () => {
    const { it, tell, relay } = await skipped(true)
    const dying = { relays: { send: () => Promise.reject(new Error('killed')) } }
    await expect(sendSkippedRunNotices(it.app, dying)).rejects.toThrow('killed')
    await tell()
    expect(relay.accepted).toEqual([])
    it.clock.advance(5 * minute)
    await tell()
    expect(relay.accepted).toHaveLength(1)
  })

  test('that was told before this program kept a list is not told again', async () => {
    const { it, tell, relay } = await skipped(true)
    const { db, store } = it.app
    const [edition] = await db.selectFrom('editions').select('id').execute()
    await addHistory(db, edition?.id ?? '', 'lastword', 'told of the skip by mail', it.clock.now())
    await sql`drop table skip_notices`.execute(db)
    await sql`delete from migrations where name = '0019-notices'`.execute(db)
    await migrate(db as Kysely<Schema>, store.engine, it.clock)
    await tell()
    expect(relay.accepted).toEqual([])
  })

  test('is not told where the digest does not want it', async () => {
    const { tell, relay } = await skipped(false)
    await tell()
    expect(relay.accepted).toEqual([])
  })
})
