import { type Kysely, sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { fromJson, type Json } from '../../src/store/json.ts'
import { up } from '../../src/store/migrations/0036-reasons.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { openWorld } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const at = '2026-11-20T07:00:00.000Z'
const quoted = 'he said "no\\never"\tand left'

onBothEngines('a store whose reasons are sentences', (freshUrl) => {
  /** A store as before the migration, with one edition and one person for each row. */
  async function downgraded() {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    const { db } = it.app
    await sql.raw('alter table deliveries drop column reason').execute(db)
    await sql`insert into editions (id, ref, digest, due_at, status, subject, preheader, composed_at, archive, revision)
      values ('edition', 'edition', 'weekly', ${at}, 'sent', '', '', ${at}, 'on', 0)`.execute(db)
    const person = async (id: string, suppressedReason: string | null = null) => {
      await sql`insert into subscribers (id, email, email_key, name, attributes, created_at, suppressed_reason)
        values (${id}, ${`${id}@a.example`}, ${`${id}@a.example`}, '', '{}', ${at}, ${suppressedReason})`.execute(db)
      await sql`insert into subscriptions (digest, subscriber_id, proof) values ('weekly', ${id}, '')`.execute(db)
    }
    return { db, person, migrate: () => up(db as unknown as Kysely<never>) }
  }

  const skippedFor = (text: string, reason: Reason) => ({ status: 'skipped', attempts: 0, text, reason, reply: null })
  const unknown = (status: string, text: string, reason: Reason) => ({ status, attempts: 1, text, reason, reply: null })
  const refused = (attempts: number, text: string, reason: Reason | null, reply: string) => {
    return { status: 'refused', attempts, text, reason, reply }
  }

  test.each([
    skippedFor(`left on ${at}`, { code: 'left', at }),
    skippedFor(`suppressed on ${at}: `, { code: 'suppressed', at, reason: null }),
    skippedFor(`suppressed on ${at}: ${quoted}`, {
      code: 'suppressed',
      at,
      reason: { code: 'text', text: quoted },
    }),
    skippedFor('the edition was cancelled: ', { code: 'edition-cancelled', reason: null }),
    skippedFor(`the edition was cancelled: ${quoted}`, {
      code: 'edition-cancelled',
      reason: { code: 'text', text: quoted },
    }),
    unknown('unknown', 'the sender stopped before the relay had answered', { code: 'sender-stopped' }),
    unknown('queued', 'the sender stopped before the relay had answered', { code: 'sender-stopped' }),
    unknown('unknown', 'the answer of the relay could not be recorded', { code: 'reply-not-recorded' }),
    refused(
      6,
      `given up after 6 tries; the last answer: 450 ${quoted}`,
      { code: 'given-up', attempts: 6 },
      `450 ${quoted}`,
    ),
    refused(
      1,
      'for four days the connection was cut each time; the last answer: 421 4.3.2 later',
      { code: 'connection-cut', forMs: 4 * 24 * 60 * 60 * 1000 },
      '421 4.3.2 later',
    ),
    refused(1, '550 5.1.1 left on the doorstep', null, '550 5.1.1 left on the doorstep'),
    { status: 'skipped', attempts: 0, text: 'as somebody wrote', reason: null, reply: 'as somebody wrote' },
  ])('keeps what a delivery says: $status, $text', async ({ status, attempts, text, reason, reply }) => {
    const { db, person, migrate } = await downgraded()
    await person('ann')
    await sql`insert into deliveries (edition_id, subscriber_id, status, attempts, reply, updated_at)
      values ('edition', 'ann', ${status}, ${attempts}, ${text}, ${at})`.execute(db)
    await migrate()
    const row = await db.selectFrom('deliveries').select(['reason', 'reply']).executeTakeFirstOrThrow()
    expect({ reason: row.reason && fromJson(row.reason), reply: row.reply }).toEqual({ reason, reply })
    if (row.reason) expect(describeReason(row.reason)).not.toBe('')
  })

  test.each<[string, Reason]>([
    [
      `there is no such mailbox: 550 5.1.1 ${quoted}`,
      { code: 'refused', cause: 'no-such-mailbox', reply: `550 5.1.1 ${quoted}` },
    ],
    ['the domain takes no mail: 550 no', { code: 'refused', cause: 'no-such-domain', reply: '550 no' }],
    ['the mailbox is closed: 550 no', { code: 'refused', cause: 'mailbox-disabled', reply: '550 no' }],
    ['the address is refused: 550 no', { code: 'refused', cause: 'address-refused', reply: '550 no' }],
    [quoted, { code: 'text', text: quoted }],
  ])('keeps why an address is suppressed: %s', async (text, reason) => {
    const { db, person, migrate } = await downgraded()
    await person('ann', text)
    await person('bob')
    await sql`insert into outcomes (id, kind, subscriber_id, at, detail) values ('1', 'bounce', 'ann', ${at}, ${text})`.execute(
      db,
    )
    await migrate()
    const people = await db.selectFrom('subscribers').select('suppressedReason').orderBy('id').execute()
    expect(people.map((one) => parsed(one.suppressedReason))).toEqual([reason, null])
    expect(parsed((await db.selectFrom('outcomes').select('detail').executeTakeFirstOrThrow()).detail)).toEqual(reason)
    expect(describeReason(reason)).toBe(text)
  })

  test('keeps of which digest a person left or came back to, and that an imported person complained', async () => {
    const { db, person, migrate } = await downgraded()
    await person('ann')
    const complaint = 'complained of spam elsewhere before the import (status: spam), import of a.csv, line 2'
    for (const [kind, text] of [
      ['leave', 'weekly, by one-click'],
      ['return', 'weekly, asked for by page'],
      ['leave', 'another, by page'],
      ['suppress', complaint],
      ['release', 'by Ada; it was suppressed'],
    ])
      await sql`insert into outcomes (id, kind, subscriber_id, at, detail)
        values (${`${kind} ${text}`}, ${kind}, 'ann', ${at}, ${text})`.execute(db)
    await migrate()
    const rows = await db.selectFrom('outcomes').select(['id', 'detail']).execute()
    expect(Object.fromEntries(rows.map(({ id, detail }) => [id, fromJson(detail)]))).toEqual({
      'leave weekly, by one-click': { code: 'subscription', digest: 'weekly', text: 'weekly, by one-click' },
      'return weekly, asked for by page': { code: 'subscription', digest: 'weekly', text: 'weekly, asked for by page' },
      'leave another, by page': { code: 'text', text: 'another, by page' },
      [`suppress ${complaint}`]: { code: 'complained', text: complaint },
      'release by Ada; it was suppressed': { code: 'text', text: 'by Ada; it was suppressed' },
    })
  })

  test('keeps why a provider is slow and a page could not be read', async () => {
    const { db, migrate } = await downgraded()
    await sql`insert into paces (name, relay, rate, reason, slowed_at, updated_at)
      values ('a.example', '', 1, '421 "slow"', ${at}, ${at})`.execute(db)
    for (const [url, error] of [
      ['https://a.example/', quoted],
      ['https://b.example/', null],
    ])
      await sql`insert into pages (url, fetched_at, error) values (${url}, ${at}, ${error})`.execute(db)
    await migrate()
    expect(parsed((await db.selectFrom('paces').select('reason').executeTakeFirstOrThrow()).reason)).toEqual({
      code: 'slow-down-reply',
      reply: '421 "slow"',
    })
    const pages = await db.selectFrom('pages').select('error').orderBy('url').execute()
    expect(pages.map(({ error }) => parsed(error))).toEqual([{ code: 'text', text: quoted }, null])
  })
})

function parsed(reason: Json<Reason> | null): Reason | null {
  return reason && fromJson(reason)
}
