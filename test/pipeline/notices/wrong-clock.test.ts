import { afterEach, describe, expect, test } from 'vitest'
import { releaseAbandoned, startWorker } from '../../../src/deliveries/worker.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { findClockFault } from '../../../src/editions/schedule/decided-runs.ts'
import { addSkippedRunNotices } from '../../../src/pipeline/notices/skipped-run.ts'
import { sendOutbox } from '../../../src/pipeline/outbox.ts'
import { isQuiet } from '../../../src/pipeline/sending/quiet.ts'
import { openSender } from '../../../src/pipeline/sending/sender.ts'
import { clearFutureWaits, reopenRuns } from '../../../src/store/digests/clock-faults.ts'
import { latestEditions } from '../../../src/store/editions/editions.ts'
import { claimDueFeed, isFeedDue, recordFailure } from '../../../src/store/feeds/feed-polls.ts'
import { ensureFeeds } from '../../../src/store/feeds/feeds.ts'
import { addMails, claimMail, dueMails, mailsOfKind, postponeMails } from '../../../src/store/outbox/outbox.ts'
import type { FeedRow } from '../../../src/store/schema.ts'
import { addMs, day, hour, minute, second } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { makeDueEditions } from '../../support/pipeline.ts'
import { startRelay } from '../../support/smtp/relay.ts'
import {
  frozenEdition,
  newsFeed,
  openWorld,
  publishTitles,
  subscribe,
  type World,
  type WorldOptions,
} from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const right = '2026-11-26T12:00:00.000Z'
const wrong = '2027-03-01T12:00:00.000Z'
const friday = '2026-11-27T07:00:00.000Z'
const nextFriday = '2026-12-04T07:00:00.000Z'

onBothEngines('after a clock that was ahead once', (freshUrl) => {
  async function world(options: Partial<WorldOptions> = {}): Promise<World & { warnings: object[] }> {
    const it = await openWorld({ storeUrl: await freshUrl(), ...options })
    closing.push(it.close)
    const warnings: object[] = []
    const warn = (fields: object) => {
      if (Object.values(fields).includes('clock.was_ahead')) warnings.push(fields)
    }
    it.app.log = { info() {}, error() {}, warn }
    it.clock.set(right)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    await subscribe(it, 1)
    return { ...it, warnings }
  }
  const madeAt = async (it: World, instant: string) => {
    it.clock.set(instant)
    await publishTitles(it, newsFeed, [`${instant} one`, `${instant} two`])
    return await makeDueEditions(it.app)
  }
  const due = async ({ app }: World) =>
    (await latestEditions(app.db, { limit: 100 })).map(({ dueAt, status }) => `${dueAt.slice(0, 10)} ${status}`)

  test('runs are made when they are due, each once, and it is reported once', async () => {
    const it = await world()
    expect(await madeAt(it, right)).toBe(0)
    expect(await madeAt(it, wrong)).toBe(0)
    expect(await due(it)).toEqual(['2027-02-26 skipped'])

    expect(await findClockFault(it.app.db, it.digest, right)).toMatchObject({ aheadUntil: '2027-02-26T07:00:00.000Z' })
    expect(await madeAt(it, addMs(friday, 10 * second))).toBe(1)
    expect(await madeAt(it, addMs(friday, minute))).toBe(0)
    expect(await due(it)).toEqual(['2026-11-27 composed'])
    expect(await madeAt(it, addMs(nextFriday, 10 * second))).toBe(1)
    expect(await due(it)).toEqual(['2026-12-04 composed', '2026-11-27 cancelled'])
    expect(it.warnings).toEqual([
      { event: 'clock.was_ahead', digest: 'weekly', aheadUntil: '2027-02-26T07:00:00.000Z', reopened: 1 },
    ])

    for (let week = 2; week <= 16; week++) await madeAt(it, addMs(friday, week * 7 * day))
    expect(await due(it)).toHaveLength(17)
    expect((await due(it)).map((one) => one.split(' ')[1])).toEqual(['composed', ...Array(16).fill('cancelled')])
  })

  test('the editors are told once, of what was skipped and of what was made', async () => {
    const relay = await startRelay()
    closing.push(relay.close)
    const it = await world({ relayPort: relay.port, job: { schedule: '"0 7 * * *"' } })
    await madeAt(it, right)
    await madeAt(it, wrong)
    await madeAt(it, addMs(right, hour))
    const sender = await openSender(it.app)
    closing.push(sender.close)
    it.clock.advance(minute)
    expect((await Promise.all([sendOutbox(it.app, sender), sendOutbox(it.app, sender)])).sort()).toEqual([0, 1])
    expect(await sendOutbox(it.app, sender)).toBe(0)
    expect(relay.accepted.map(({ to }) => to)).toEqual(['letters@magazine.example'])
    const mail = relay.accepted[0]?.raw.toString().replaceAll('=\r\n', '') ?? ''
    expect(mail).toContain("Subject: The Magazine: the server's clock was wrong")
    expect(mail).toContain('took the runs of weekly until Mon, 1 Mar 2027, 07:00 GMT for done')
    expect(mail).toContain('Made too early: weekly 1, due Mon, 1 Mar 2027, 07:00 GMT.')
  })

  test('the faults of several digests that are noticed within a minute are one email', async () => {
    const relay = await startRelay()
    closing.push(relay.close)
    const it = await world({ relayPort: relay.port })
    for (const digest of ['daily', 'weekly']) {
      expect(await reopenRuns(it.app.db, { digest, aheadUntil: wrong, skips: [] }, it.clock.now())).toBe(true)
      it.clock.advance(20 * second)
    }
    const sender = await openSender(it.app)
    closing.push(sender.close)
    expect(await sendOutbox(it.app, sender)).toBe(0)
    it.clock.advance(minute)
    expect(await sendOutbox(it.app, sender)).toBe(1)
    const mail = relay.accepted[0]?.raw.toString().replaceAll('=\r\n', '') ?? ''
    for (const digest of ['daily', 'weekly']) expect(mail).toContain(`took the runs of ${digest} until`)
  })

  test('a run that it skipped is told again if it is skipped in truth', async () => {
    const it = await world({ job: { thin: '{ minimum: 2, rule: skip, notify: true }' } })
    const told = async () => {
      await addSkippedRunNotices(it.app)
      return (await mailsOfKind(it.app.db, 'run-skipped')).length
    }
    await madeAt(it, right)
    await madeAt(it, '2026-11-27T20:30:00.000Z')
    expect(await due(it)).toEqual(['2026-11-27 skipped'])
    expect(await told()).toBe(1)
    await madeAt(it, addMs(right, minute))
    expect(await told()).toBe(0)
  })

  test('by a day, a run is made though the clock is right only after its time', async () => {
    const it = await world()
    await madeAt(it, right)
    await madeAt(it, '2026-11-27T20:30:00.000Z')
    expect(await due(it)).toEqual(['2026-11-27 skipped'])
    expect(await madeAt(it, addMs(friday, 10 * second))).toBe(1)
    expect(await madeAt(it, addMs(friday, minute))).toBe(0)
    expect(await due(it)).toEqual(['2026-11-27 composed'])
  })

  test('what it made is never made again', async () => {
    const it = await world({ job: { schedule: '"0 7 * * *"' } })
    await madeAt(it, right)
    expect(await madeAt(it, '2026-11-28T08:00:00.000Z')).toBe(1)
    await cancel(it.app, (await latestEditions(it.app.db, { limit: 1 }))[0]?.id ?? '', 'Ada', 'too early')
    expect(await due(it)).toEqual(['2026-11-28 cancelled', '2026-11-27 skipped'])
    expect(await madeAt(it, friday)).toBe(1)
    expect(await madeAt(it, '2026-11-28T07:00:00.000Z')).toBe(0)
    expect(await madeAt(it, '2026-11-29T07:00:00.000Z')).toBe(1)
    expect(await due(it)).toEqual(['2026-11-29 composed', '2026-11-28 cancelled', '2026-11-27 cancelled'])
  })

  test('a digest that was first seen by it is met when the clock is right', async () => {
    const it = await world()
    await madeAt(it, wrong)
    expect(await madeAt(it, right)).toBe(0)
    expect(await madeAt(it, friday)).toBe(1)
    expect(await due(it)).toEqual(['2026-11-27 composed'])
  })

  test('an edition made ahead for local time is no fault of a clock, and a run in its future is not made twice', async () => {
    const it = await world({ job: { localTime: 'true', lead: '6h' } })
    await madeAt(it, right)
    expect(await madeAt(it, '2026-11-27T02:00:00.000Z')).toBe(1)
    Object.assign(it.digest, { localTime: false, lead: undefined })
    expect(await madeAt(it, '2026-11-27T02:01:00.000Z')).toBe(0)
    expect(await findClockFault(it.app.db, it.digest, it.clock.now())).toBeUndefined()
    expect(await madeAt(it, friday)).toBe(0)
    expect(it.warnings).toEqual([])
  })

  test('a clock that is set back by two hours makes nothing again and alarms nobody', async () => {
    const it = await world()
    await madeAt(it, right)
    expect(await madeAt(it, friday)).toBe(1)
    expect(await madeAt(it, addMs(friday, -2 * hour))).toBe(0)
    expect(await madeAt(it, friday)).toBe(0)
    expect(it.warnings).toEqual([])
  })

  describe('marks that it left behind keep nothing from going on:', () => {
    test.each(['was being sent', 'was put off'])('an email that %s', async (what) => {
      const { db } = (await world()).app
      await addMails(db, [{ kind: 'wrong-clock', about: ['a'], facts: { fault: 'a' } }], right)
      const due = (now: string) => dueMails(db, now, { except: [], limit: 10 })
      const [mail] = await due(right)
      const id = mail?.id ?? ''
      if (what === 'was put off') await postponeMails(db, [id], wrong)
      else expect(await claimMail(db, id, wrong)).toBeDefined()
      expect(await due(right)).toEqual([mail])
      expect(await claimMail(db, id, right)).toBeDefined()
      expect(await due(addMs(right, minute))).toEqual([])
      expect(await claimMail(db, id, addMs(right, minute))).toBeUndefined()
    })

    test('a feed that was asked', async () => {
      const it = await world()
      const { db } = it.app
      const feed = async () => (await ensureFeeds(db, [newsFeed], right))[0] as FeedRow
      const { id } = await feed()
      await recordFailure(db, id, { code: 'feed-unreachable', message: 'no answer' }, wrong, {
        nextFetchAt: addMs(wrong, hour),
      })
      expect(isFeedDue(await feed(), right)).toBe(true)
      expect(await claimDueFeed(db, id, right)).toBe(true)
      expect(await claimDueFeed(db, id, right)).toBe(false)
      await recordFailure(db, id, { code: 'feed-unreachable', message: 'no answer' }, right, {
        nextFetchAt: addMs(right, hour),
      })
      expect(await feed()).toMatchObject({ failingSince: right })
      expect(isFeedDue(await feed(), addMs(right, minute))).toBe(false)
    })

    test('a sender elsewhere that died', async () => {
      const it = await world()
      const self = await startWorker(it.app)
      await it.app.db
        .insertInto('workers')
        .values({ ...self, id: '019335c0-0000-7000-8000-000000000001', host: 'elsewhere', seenAt: wrong })
        .execute()
      await releaseAbandoned(it.app, self)
      it.clock.advance(2 * minute)
      await releaseAbandoned(it.app, self)
      const workers = await it.app.db.selectFrom('workers').select(['host', 'seenAt']).execute()
      expect(workers.map(({ host, seenAt }) => [host, seenAt > addMs(right, -minute)])).toEqual([[self.host, true]])
    })

    test('copies that were put off, and first shares that wait', async () => {
      const it = await world()
      await subscribe(it, 3)
      const id = await frozenEdition(it)
      const { db } = it.app
      await db
        .updateTable('deliveries')
        .set({ status: 'deferred', exception: 'deferred', nextAttemptAt: addMs(wrong, hour), updatedAt: wrong })
        .execute()
      const [one] = await db.selectFrom('deliveries').select('subscriberId').limit(1).execute()
      await db
        .updateTable('deliveries')
        .set({ nextAttemptAt: addMs(right, hour), updatedAt: right })
        .where('subscriberId', '=', one?.subscriberId ?? '')
        .execute()
      const places = { recipients: 9, firstPlace: '000', lastPlace: '0ff', releasedAt: null, stoppedAt: null }
      await db
        .insertInto('canaries')
        .values({ editionId: id, name: 'a.example', waitingSince: wrong, ...places })
        .execute()
      await clearFutureWaits(db, id, right)
      const waits = await db
        .selectFrom('deliveries')
        .select('nextAttemptAt')
        .where('nextAttemptAt', 'is not', null)
        .execute()
      expect(waits).toEqual([{ nextAttemptAt: addMs(right, hour) }])
      expect(await db.selectFrom('canaries').select('waitingSince').execute()).toEqual([{ waitingSince: right }])
    })

    test('an edition that had nothing to do for a minute', async () => {
      const quiet = new Map([['one', addMs(wrong, minute)]])
      const isQuietAt = (now: string) => isQuiet({ quietUntil: quiet } as Parameters<typeof isQuiet>[0], 'one', now)
      expect([isQuietAt(wrong), isQuietAt(addMs(wrong, minute)), isQuietAt(right)]).toEqual([true, false, false])
    })
  })
})
