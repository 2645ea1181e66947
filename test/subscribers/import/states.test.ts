import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { openStore, type Store } from '../../../src/store/open.ts'
import { outcomesOf } from '../../../src/store/subscribers/outcomes.ts'
import {
  activeSubscribers,
  countActive,
  listSubscribers,
  subscriberByEmail,
  subscriptionsOf,
} from '../../../src/store/subscribers/subscribers.ts'
import { importSubscribers } from '../../../src/subscribers/import/import.ts'
import type { Meaning } from '../../../src/subscribers/import/states.ts'
import { detectTool, rowState, stateColumns } from '../../../src/subscribers/import/states.ts'
import { leave } from '../../../src/subscribers/leave.ts'
import { unsuppress } from '../../../src/subscribers/suppress.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { resubscribe } from '../../support/resubscribe.ts'

const folder = mkdtempSync(join(tmpdir(), 'lastword-states-'))
afterAll(() => rmSync(folder, { recursive: true }))

function csv(lines: string[], name = 'list.csv'): string {
  const file = join(folder, name)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

const mailchimp =
  'Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,LEID,EUID,NOTES,TAGS'
const meanings = (states: { state: string; meaning: string; count: number }[]) =>
  Object.fromEntries(states.map(({ state, meaning, count }) => [state, `${meaning} ${count}`]))

describe('what a row says of its person', () => {
  const meaningOf = (row: Record<string, string>, mapping = new Map<string, Meaning>()) =>
    rowState(row, stateColumns(Object.keys(row)), mapping)

  test.each<[Record<string, string>, Meaning | undefined]>([
    [{ status: 'Enabled' }, 'active'],
    [{ status: 'disabled' }, 'left'],
    [{ 'subscription status': 'Un-subscribed' }, 'left'],
    [{ email_marketing_status: 'Opted out' }, 'left'],
    [{ subscriber_type: 'unactivated' }, 'pending'],
    [{ status: 'cleaned' }, 'bounced'],
    [{ status: 'Unreachable' }, 'bounced'],
    [{ status: 'junk' }, 'complained'],
    [{ unsub_time: '2026-01-02 10:00:00' }, 'left'],
    [{ unsubscribed_at: '1767348000' }, 'left'],
    [{ 'unsubscribe date': '' }, undefined],
    [{ clean_time: '02/01/2026' }, 'bounced'],
    [{ subscribed_to_emails: 'false' }, 'left'],
    [{ subscribed_to_emails: 'true', deleted_at: '' }, undefined],
    [{ subscribed_to_emails: 'true', deleted_at: '2026-01-02T10:00:00.000Z' }, 'left'],
    [{ email_disabled: 'TRUE' }, 'left'],
    [{ email_blacklisted: 'no' }, undefined],
    [{ 'opt-in': 'No' }, 'left'],
    [{ opt_in: '2024-05-06' }, undefined],
    [{ email_opt_out: '1' }, 'left'],
    [{ bounced: 'yes', unsubscribed: 'yes' }, 'bounced'],
    [{ marked_as_spam: 'true', bounced: 'true' }, 'complained'],
    [{ status: 'subscribed', unsub_time: '2026-01-02' }, 'left'],
    [{ city: 'Leeds', notes: 'unsubscribed' }, undefined],
  ])('%j: %s', (row, meaning) => {
    expect(meaningOf(row)?.meaning).toBe(meaning)
    if (meaning === undefined) expect(meaningOf(row)).toBeUndefined()
  })

  test.each([{ status: 'VIP' }, { status: '' }, { status: '2' }, { unsubscribed_at: 'perhaps' }])(
    '%j is unknown, unless the operator says what it means',
    (row) => {
      const found = meaningOf(row)
      expect(found).toMatchObject({ state: Object.values(row)[0]?.toLowerCase() || '(empty)' })
      expect(found).not.toHaveProperty('meaning')
      expect(meaningOf(row, new Map([[found?.state ?? '', 'skip']]))?.meaning).toBe('skip')
    },
  )

  test('an empty cell where yes or no is expected is unknown too', () => {
    for (const column of ['opt_in', 'subscribed', 'confirmed'])
      expect(meaningOf({ [column]: '' })).toEqual({ state: `${column}: (empty)`, column })
  })

  test.each([
    ['uuid,email,name,attributes,status,created_at,updated_at', 'listmonk'],
    [mailchimp, 'Mailchimp'],
    ['id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at', 'Ghost'],
    ['Email,First name,Last name,Data,Status,External ID', 'Keila'],
    ['email,active_subscription,expiry,plan,email_disabled,created_at', 'Substack'],
    ['email,name,status', undefined],
  ])('%s was written by %s', (columns, tool) => {
    expect(detectTool(columns.split(','))).toBe(tool)
  })
})

onBothEngines('an import of a file that tells who left', (freshUrl) => {
  const clock = fakeClock()
  let store: Store
  const opened = async () => {
    store = await openStore(await freshUrl(), clock)
    return { db: store.db, clock }
  }
  afterEach(() => store.close())
  const subscriptionOf = async (email: string) => {
    const person = await subscriberByEmail(store.db, email)
    return (await subscriptionsOf(store.db, person?.id ?? ''))[0]
  }
  const activeAddresses = async (digest = 'weekly') =>
    (await activeSubscribers(store.db, digest).select('subscribers.email').orderBy('subscribers.email').execute()).map(
      ({ email }) => email,
    )

  test('of listmonk keeps them out, says where they left, and a later file without the column brings nobody back', async () => {
    const needs = await opened()
    const file = csv([
      'uuid,email,name,attributes,status,created_at,updated_at',
      'u1,ann@a.example,Ann,"{}",enabled,2024,2024',
      'u2,bob@a.example,Bob,"{}",blocklisted,2024,2024',
      'u3,cy@a.example,Cy,"{}",disabled,2024,2024',
    ])
    const report = await importSubscribers(needs, file, 'weekly')
    expect(report).toMatchObject({ rows: 3, added: 1, known: 0, problemCount: 0 })
    expect(meanings(report.states)).toEqual({ blocklisted: 'left 1', disabled: 'left 1' })
    expect(await subscriptionOf('bob@a.example')).toMatchObject({
      leftAt: clock.now(),
      confirmedAt: null,
      proof: `left in listmonk before the import (status: blocklisted), import of ${file}, line 3`,
    })
    const plain = csv(['email', 'ann@a.example', 'bob@a.example', 'cy@a.example'], 'plain.csv')
    expect(await importSubscribers(needs, plain, 'weekly')).toMatchObject({ added: 0, known: 3 })
    expect(await activeAddresses()).toEqual(['ann@a.example'])
  })

  test('in the three files of Mailchimp, and the one of people who never subscribed', async () => {
    const needs = await opened()
    const row = (email: string) => `${email},Mira,Kaya,2,2024-01-01 10:00:00,2024-01-01 10:00:00,Europe/London,1,2,,`
    const subscribed = csv([mailchimp, row('ann@a.example')], 'subscribed_email_audience_export_1.csv')
    const gone = csv([`${mailchimp},UNSUB_TIME`, `${row('bob@a.example')},2026-01-02 10:00:00`], 'b.csv')
    const cleaned = csv([`${mailchimp},CLEAN_TIME`, `${row('cy@a.example')},2026-01-02 10:00:00`], 'c.csv')
    const never = csv([mailchimp, row('dee@a.example')], 'nonsubscribed_email_audience_export_1.csv')
    const found = []
    for (const file of [gone, cleaned, never, subscribed])
      found.push(meanings((await importSubscribers(needs, file, 'weekly')).states))
    expect(found).toEqual([{ unsub_time: 'left 1' }, { clean_time: 'bounced 1' }, { nonsubscribed: 'pending 1' }, {}])
    expect(await activeAddresses()).toEqual(['ann@a.example'])
    expect(await subscriberByEmail(store.db, 'ann@a.example')).toMatchObject({
      name: 'Mira Kaya',
      zone: 'Europe/London',
    })
    const bounced = await subscriberByEmail(store.db, 'cy@a.example')
    expect(bounced?.suppressedReason && describeReason(bounced.suppressedReason)).toBe(
      `bounced in Mailchimp before the import (clean_time), import of ${cleaned}, line 2`,
    )
    expect(await outcomesOf(store.db, bounced?.id ?? '')).toMatchObject([{ kind: 'suppress' }])
    expect(await subscriptionOf('dee@a.example')).toMatchObject({ confirmedAt: null, leftAt: null })
    const plain = csv(['email', 'bob@a.example', 'cy@a.example', 'dee@a.example'], 'plain.csv')
    await importSubscribers(needs, plain, 'weekly')
    await importSubscribers(needs, csv(['email', 'cy@a.example'], 'plain.csv'), 'daily')
    expect([await activeAddresses(), await activeAddresses('daily')]).toEqual([['ann@a.example'], []])
  })

  test('takes off the list who is subscribed here and left there, once and on record', async () => {
    const needs = await opened()
    await importSubscribers(needs, csv(['email', 'ann@a.example', 'bob@a.example', 'cy@a.example']), 'weekly')
    const file = csv(['email,status', 'ann@a.example,unsubscribed', 'bob@a.example,complained', 'cy@a.example,active'])
    const report = await importSubscribers(needs, file, 'weekly')
    expect(report).toMatchObject({ added: 0, known: 1, unsubscribedHere: 2, changeCount: 2 })
    expect(report.changes).toEqual([
      { line: 2, problem: expect.stringMatching(/^ann@a\.example was subscribed here; the file says "unsubscribed"/) },
      { line: 3, problem: expect.stringMatching(/^bob@a\.example was subscribed here/) },
    ])
    expect(await activeAddresses()).toEqual(['cy@a.example'])
    const ann = await subscriberByEmail(store.db, 'ann@a.example')
    const [outcome, ...others] = await outcomesOf(store.db, ann?.id ?? '')
    expect([outcome?.kind, others]).toEqual(['leave', []])
    expect(outcome && describeReason(outcome.detail)).toBe(
      `left elsewhere before the import (status: unsubscribed), import of ${file}, line 2`,
    )
    expect(await importSubscribers(needs, file, 'weekly')).toMatchObject({ unsubscribedHere: 0, changeCount: 0 })
    expect(await outcomesOf(store.db, ann?.id ?? '')).toHaveLength(1)
  })

  test('leaves alone who came back here by their own act, and an address that was released here', async () => {
    const needs = await opened()
    await importSubscribers(needs, csv(['email', 'ann@a.example', 'bob@a.example']), 'weekly')
    const ann = await subscriberByEmail(store.db, 'ann@a.example')
    const act = { subscriberId: ann?.id ?? '', digest: 'weekly', editionId: null, how: 'page' }
    await leave(needs, act)
    await resubscribe(needs, act)
    const bounced = csv(['email,status', 'bob@a.example,bounced'])
    await importSubscribers(needs, bounced, 'weekly')
    await unsuppress(needs, 'bob@a.example', { who: 'Mo', reason: 'the mailbox works' })
    const both = csv(['email,status', 'ann@a.example,unsubscribed', 'bob@a.example,bounced'])
    const report = await importSubscribers(needs, both, 'weekly')
    expect(report).toMatchObject({ unsubscribedHere: 0, changeCount: 2 })
    expect(report.changes).toEqual([
      { line: 2, problem: expect.stringMatching(/^ann@a\.example stays subscribed/) },
      { line: 3, problem: expect.stringMatching(/^bob@a\.example stays subscribed/) },
    ])
    expect(await activeAddresses()).toEqual(['ann@a.example', 'bob@a.example'])
  })

  test('counts the worse of two rows about one person, in whatever order', async () => {
    const needs = await opened()
    const rows = [
      'ann@a.example,active',
      'ANN@a.example,unsubscribed',
      'bob@a.example,unsubscribed',
      'bob@a.example,active',
    ]
    const report = await importSubscribers(needs, csv(['email,status', ...rows]), 'weekly')
    expect(report).toMatchObject({ rows: 4, added: 0, known: 2, states: [{ state: 'unsubscribed', count: 2 }] })
    expect(await countActive(store.db, 'weekly')).toBe(0)
  })

  test('stops before anything is written at an unknown state, naming each with line and count', async () => {
    const needs = await opened()
    const others = Array.from({ length: 600 }, (_, index) => `p${index}@a.example,active`)
    const file = csv(['email,status', ...others, 'ann@a.example,VIP', 'bob@a.example,', 'cy@a.example,vip'])
    await expect(importSubscribers(needs, file, 'weekly')).rejects.toMatchObject({
      code: 'invalid',
      message: [
        `${file}:602: the state "vip" in the column "status" is unknown (2 rows)`,
        `${file}:603: the state "(empty)" in the column "status" is unknown (1 row)`,
        'Nothing was imported.',
      ].join('\n'),
      hint: expect.stringMatching(/--map "vip=active".*--ignore-status/),
    })
    expect(await listSubscribers(store.db, { limit: 10 })).toEqual([])
    const mapping = new Map<string, Meaning>([
      ['vip', 'active'],
      ['(empty)', 'skip'],
    ])
    const report = await importSubscribers(needs, file, 'weekly', { states: { mapping } })
    expect(report).toMatchObject({ rows: 603, added: 602, states: [{ state: '(empty)', meaning: 'skip', count: 1 }] })
    expect(await subscriberByEmail(store.db, 'bob@a.example')).toBeUndefined()
  })

  test('reads a column "state" as states only where one of them keeps somebody out', async () => {
    const needs = await opened()
    const places = csv(['email,state', 'ann@a.example,OR', 'bob@a.example,active'])
    expect(await importSubscribers(needs, places, 'weekly')).toMatchObject({ added: 2, states: [] })
    const states = csv(['email,state', 'ann@a.example,Active', 'bob@a.example,Unconfirmed', 'cy@a.example,Deleted'])
    expect(meanings((await importSubscribers(needs, states, 'daily')).states)).toEqual({
      unconfirmed: 'pending 1',
      deleted: 'left 1',
    })
    const mixed = csv(['email,state', 'ann@a.example,OR', 'bob@a.example,Unsubscribed'])
    await expect(importSubscribers(needs, mixed, 'daily')).rejects.toThrow(/:2: the state "or" in the column "state"/)
  })

  test('takes everybody in when it is told to ignore the column', async () => {
    const needs = await opened()
    const file = csv(['email,status', 'ann@a.example,unsubscribed', 'bob@a.example,odd'])
    expect(await importSubscribers(needs, file, 'weekly', { states: 'ignore' })).toMatchObject({ added: 2, states: [] })
  })

  test('changes nothing in a dry run, and says the same as the import', async () => {
    const needs = await opened()
    await importSubscribers(needs, csv(['email', 'ann@a.example', 'bob@a.example']), 'weekly')
    const file = csv(['email,status', 'ann@a.example,unsubscribed', 'bob@a.example,active', 'cy@a.example,active'])
    const dry = await importSubscribers(needs, file, 'weekly', { dryRun: true })
    expect(dry).toMatchObject({ added: 1, known: 1, unsubscribedHere: 1 })
    expect(await activeAddresses()).toEqual(['ann@a.example', 'bob@a.example'])
    expect(await importSubscribers(needs, file, 'weekly')).toEqual(dry)
  })

  test('that is stopped says how many rows are stored, and goes on when it is run again', async () => {
    const needs = await opened()
    const file = csv(['email', ...Array.from({ length: 1200 }, (_, index) => `p${index}@a.example`)])
    const stop = new AbortController()
    stop.abort()
    const first = importSubscribers(needs, file, 'weekly', { signal: stop.signal })
    await expect(first).rejects.toMatchObject({
      message: `the import of ${file} was stopped: 0 rows stored, the rest not`,
    })
    const later = new AbortController()
    const now = () => {
      later.abort()
      return clock.now()
    }
    const at500 = { now, wait: clock.wait }
    await expect(
      importSubscribers({ ...needs, clock: at500 }, file, 'weekly', { signal: later.signal }),
    ).rejects.toMatchObject({ message: expect.stringContaining('500 rows stored') })
    expect(await importSubscribers(needs, file, 'weekly')).toMatchObject({ added: 700, known: 500 })
  })
})
