import { type Kysely, sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { fromJson, type Json } from '../../src/store/json.ts'
import { up } from '../../src/store/migrations/0044-replies.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { openWorld } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const at = '2026-11-20T07:00:00.000Z'

type Case = { text: string; reply: string; reason: Reason | null }

const cases: Case[] = [
  ...['250 2.0.0 "taken"', '250-first 250 last', '421', '550-no', '199 what?'].map((text) => {
    return { text, reply: text, reason: null }
  }),
  {
    text: 'before it had the message, the relay said 250 ok',
    reply: '250 ok',
    reason: { code: 'answered-early' },
  },
  {
    text: '"a\\" b@a.example" cannot be said in SMTP',
    reply: '',
    reason: { code: 'invalid-address', address: '"a\\" b@a.example"' },
  },
  {
    text: 'the relay does not take é@a.example: it offers no SMTPUTF8',
    reply: '',
    reason: { code: 'no-smtputf8', address: 'é@a.example' },
  },
  {
    text: 'the message has 900 bytes, and the relay takes at most 300',
    reply: '',
    reason: { code: 'message-too-large', bytes: 900, maximum: 300 },
  },
  { text: 'there is no relay', reply: '', reason: { code: 'no-relay' } },
  ...[
    '203.0.113.5:25: connect "refused"\tat\\once',
    'read ECONNRESET',
    'before it had the message, the relay said no',
  ].map((text) => ({ text, reply: '', reason: { code: 'text' as const, text } })),
]

onBothEngines('a store whose replies are partly our own sentences', (freshUrl) => {
  async function downgraded() {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    const { db } = it.app
    await sql.raw('alter table outbox drop column reason').execute(db)
    await sql`insert into editions (id, ref, digest, due_at, status, subject, preheader, composed_at, archive, revision)
      values ('edition', 'edition', 'weekly', ${at}, 'sent', '', '', ${at}, 'on', 0)`.execute(db)
    const addDelivery = async (person: string, reply: string | null, reason: string | null) => {
      await sql`insert into subscribers (id, email, email_key, name, attributes, created_at)
        values (${person}, ${person}, ${person}, '', '{}', ${at})`.execute(db)
      await sql`insert into deliveries (edition_id, subscriber_id, status, attempts, reply, reason, updated_at)
        values ('edition', ${person}, 'refused', 1, ${reply}, ${reason}, ${at})`.execute(db)
    }
    return { db, addDelivery, migrate: () => up(db as unknown as Kysely<never>) }
  }

  test('keeps what relays answered, and turns the rest into reasons', async () => {
    const { db, addDelivery, migrate } = await downgraded()
    for (const [index, { text }] of cases.entries()) {
      await addDelivery(`person ${String(index).padStart(2, '0')}`, text, null)
      await sql`insert into outbox (id, kind, key, facts, created_at, not_before, expires_at, attempts, reply)
        values (${String(index).padStart(2, '0')}, 'edition-paused', ${text}, '{}', ${at}, ${at}, ${at}, 1, ${text})`.execute(
        db,
      )
    }
    await migrate()
    const wanted = cases.map(({ reply, reason }) => ({ reply, reason }))
    const deliveries = await db.selectFrom('deliveries').select(['reply', 'reason']).orderBy('subscriberId').execute()
    expect(deliveries.map(parsed)).toEqual(wanted)
    const mails = await db.selectFrom('outbox').select(['reply', 'reason']).orderBy('id').execute()
    expect(mails.map(parsed)).toEqual(wanted)
    for (const { reason } of deliveries) if (reason) expect(describeReason(reason)).not.toBe('')
  })

  test('adds it to the reason that a delivery has, and leaves one without a reply alone', async () => {
    const { db, addDelivery, migrate } = await downgraded()
    await addDelivery('a', 'read ECONNRESET', '{"code":"given-up","attempts":6}')
    await addDelivery('b', null, '{"code":"sender-stopped"}')
    await addDelivery('c', null, null)
    await migrate()
    const rows = await db.selectFrom('deliveries').select(['reply', 'reason']).orderBy('subscriberId').execute()
    expect(rows.map(parsed)).toEqual([
      { reply: '', reason: { code: 'given-up', attempts: 6, also: [{ code: 'text', text: 'read ECONNRESET' }] } },
      { reply: null, reason: { code: 'sender-stopped' } },
      { reply: null, reason: null },
    ])
  })

  test('reads deliveries page by page', async () => {
    const { db, addDelivery, migrate } = await downgraded()
    await addDelivery('0', 'read ECONNRESET', null)
    await sql`insert into subscribers (id, email, email_key, name, attributes, created_at)
      select 'p' || id, 'p' || id, 'p' || id, '', '{}', ${at}
      from (with recursive numbers (id) as (select 1 union all select id + 1 from numbers where id < 1001) select id from numbers) as ids`.execute(
      db,
    )
    await sql`insert into deliveries (edition_id, subscriber_id, status, attempts, reply, updated_at)
      select 'edition', id, 'refused', 1, 'read ECONNRESET', ${at} from subscribers where id <> '0'`.execute(db)
    await migrate()
    const rows = await db.selectFrom('deliveries').select('reply').distinct().execute()
    expect(rows).toEqual([{ reply: '' }])
  })
})

function parsed({ reply, reason }: { reply: string | null; reason: Json<Reason> | null }) {
  return { reply, reason: reason && fromJson(reason) }
}
