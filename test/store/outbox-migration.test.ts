import { type Kysely, sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { addFeedNotices } from '../../src/pipeline/notices/feed-trouble.ts'
import { addSkippedRunNotices } from '../../src/pipeline/notices/skipped-run.ts'
import { addWaitingNotices } from '../../src/pipeline/notices/waiting-edition.ts'
import { sendOutbox } from '../../src/pipeline/outbox.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { recordFailure } from '../../src/store/feeds/feed-polls.ts'
import { feedByUrl } from '../../src/store/feeds/feeds.ts'
import { migrate } from '../../src/store/migrate.ts'
import type { Schema } from '../../src/store/schema.ts'
import { addSubscribers } from '../../src/store/subscribers/subscribers.ts'
import { addMs, day, hour, minute } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { approvedEdition } from '../support/edition.ts'
import { startRelay } from '../support/smtp/relay.ts'
import { newsFeed, openWorld, opinionFeed, publishTitles, type World } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a store from before there was an outbox', (freshUrl) => {
  /** Takes the tables back to what they were: nothing is in them. */
  async function downgraded() {
    const relay = await startRelay()
    closing.push(relay.close)
    const job = { approval: 'required', thin: '{ minimum: 1, rule: skip, notify: true }' }
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, job })
    closing.push(it.close)
    const { db } = it.app
    for (const statement of [
      'drop table outbox',
      'create table calls (id text, edition_id text, at text, kind text, what text, telling_until text, told_at text)',
      'create table skip_notices (edition_id text, telling_until text, told_at text)',
      'alter table feeds add column told_of text',
      'alter table feeds add column telling_until text',
      'alter table clock_faults add column telling_until text',
      'alter table clock_faults add column told_at text',
      'alter table confirmations add column waiting_since text',
      'alter table confirmations add column sending_until text',
      'create index confirmations_waiting on confirmations (waiting_since)',
      "delete from migrations where name in ('0033-outbox', '0044-replies')",
    ])
      await sql.raw(statement).execute(db)
    return { it, relay, now: it.clock.now() }
  }

  /** Everything that the schedule does about single emails. Returns what went out: subjects, in order. */
  async function upgrade({ it, relay }: Awaited<ReturnType<typeof downgraded>>): Promise<string[]> {
    const { app } = it
    await migrate(app.db as Kysely<Schema>, app.store.engine, it.clock)
    const sender = await openSender(app)
    closing.push(sender.close)
    await addFeedNotices(app)
    await addSkippedRunNotices(app)
    await addWaitingNotices(app)
    await sendOutbox(app, sender)
    return relay.accepted.map(({ raw }) => {
      const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(raw.toString())?.[1] ?? ''
      return subject.replaceAll(/\r\n/g, '').replace('The Magazine: ', '')
    })
  }

  async function call(it: World, edition: string, kind: string, what: string, told: string | null): Promise<void> {
    const id = `${kind}-${told}`
    await sql`insert into calls (id, edition_id, at, kind, what, told_at)
      values (${id}, ${edition}, ${it.clock.now()}, ${kind}, ${what}, ${told})`.execute(it.app.db)
  }

  /** Mira has asked at `since` to be subscribed again; `sendingUntil`: a process sends her the email, and has until then. */
  async function addConfirmation(
    { app, clock }: World,
    { since, sendingUntil }: { since: string; sendingUntil: string | null },
  ): Promise<void> {
    const { db } = app
    const person = { email: 'mira@readers.example', emailKey: 'mira@readers.example', name: '', attributes: {} }
    await addSubscribers(db, 'weekly', [{ ...person, proof: '' }], clock.now())
    const { id: mira } = await db
      .selectFrom('subscribers')
      .select('id')
      .where('email', '=', person.email)
      .executeTakeFirstOrThrow()
    const id = '019335c0-0000-7000-8000-000000000001'
    await sql`insert into confirmations (id, digest, subscriber_id, how, asked_at, expires_at, waiting_since, sending_until)
      values (${id}, 'weekly', ${mira}, 'page', ${since}, ${addMs(since, hour)}, ${since}, ${sendingUntil})`.execute(db)
  }

  test('tells nobody twice', async () => {
    const old = await downgraded()
    const { it, now } = old
    const { db } = it.app
    const id = await approvedEdition(it)
    await publishTitles(it, opinionFeed, ['Two'])
    await recordFailure(
      db,
      (await feedByUrl(db, newsFeed))?.id ?? '',
      { code: 'feed-unreachable', message: 'no answer' },
      addMs(now, -2 * day),
    )
    await db.updateTable('editions').set({ status: 'sealed', approvedAt: null }).execute()
    await db.deleteFrom('events').where('kind', '=', 'edition.approved').execute()
    await sql`update feeds set told_of = 'failing silent'`.execute(db)
    for (const kind of ['waits', 'paused', 'relay', 'replaced', 'reminder']) await call(it, id, kind, 'a reason', now)
    await sql`insert into clock_faults (id, digest, ahead_until, noticed_at, reopened, told_at)
      values ('fault', 'weekly', ${now}, ${now}, '[]', ${now})`.execute(db)
    expect(await upgrade(old)).toEqual([])
  })

  test('tells nobody twice of a skipped run', async () => {
    const old = await downgraded()
    const id = await approvedEdition(old.it)
    await old.it.app.db.updateTable('editions').set({ status: 'skipped' }).execute()
    await sql`insert into skip_notices (edition_id, telling_until, told_at)
      values (${id}, ${old.now}, ${old.now})`.execute(old.it.app.db)
    expect(await upgrade(old)).toEqual([])
  })

  test('lets a confirmation wait that another process was sending, and sends it once that process has run out of time', async () => {
    const old = await downgraded()
    const { it, now } = old
    const busyUntil = addMs(now, 10 * minute)
    await addConfirmation(it, { since: addMs(now, -minute), sendingUntil: busyUntil })
    expect(await upgrade(old)).toEqual([])
    const [row] = await it.app.db.selectFrom('outbox').selectAll().execute()
    expect(row).toMatchObject({ kind: 'confirmation', notBefore: busyUntil, sentAt: null })
    it.clock.set(busyUntil)
    expect(await upgrade(old)).toEqual(['Subscribe to The Weekly again?'])
  })

  test('tells what was waiting to be told, once', async () => {
    const old = await downgraded()
    const { it, now } = old
    const { db } = it.app
    const id = await approvedEdition(it)
    await db.updateTable('editions').set({ status: 'sealed', approvedAt: null }).execute()
    await db.deleteFrom('events').where('kind', '=', 'edition.approved').execute()
    await call(it, id, 'waits', '', null)
    await call(it, id, 'paused', 'ten refusals', null)
    await call(it, id, 'relay', 'the relay second is left alone, and its messages go by the others: it is slow', null)
    await call(it, id, 'replaced', 'replaced by edition 7', null)
    await sql`insert into clock_faults (id, digest, ahead_until, noticed_at, reopened)
      values ('fault', 'weekly', ${now}, ${now}, '[]')`.execute(db)
    await addConfirmation(it, { since: now, sendingUntil: null })
    const subjects = await upgrade(old)
    expect(subjects.toSorted()).toEqual(
      [
        'Subscribe to The Weekly again?',
        'a mail server takes no messages',
        "the server's clock was wrong",
        'weekly 1 is paused',
        'weekly 1 waits for approval',
        'weekly 1 was replaced by edition 7',
      ].toSorted(),
    )
    const texts = old.relay.accepted.map(({ raw }) => raw.toString().replaceAll('=\r\n', '')).join()
    expect(texts).toContain('the mail server second did not work')
    expect(texts).toContain('It is slow.')
  })
})
