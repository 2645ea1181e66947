import { simpleParser } from 'mailparser'
import { afterEach, expect, test } from 'vitest'
import { openApp } from '../../src/app.ts'
import type { Config } from '../../src/config/config.ts'
import { describeReason } from '../../src/describe/describe.ts'
import { createLetter } from '../../src/editions/letters/letters.ts'
import { retractArticle } from '../../src/editions/retract.ts'
import { ApprovalRefused } from '../../src/editions/review/approval-rules.ts'
import { approve, approveByRule } from '../../src/editions/review/approve.ts'
import { hold } from '../../src/editions/review/pause.ts'
import { currentRevision } from '../../src/editions/review/revision.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { editionById, latestEditions } from '../../src/store/editions/editions.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import { endSubscription } from '../../src/store/subscribers/subscribers.ts'
import { addMs, day, hour, minute } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { editionHistory, inWords } from '../support/history.ts'
import { noticesOf, sendEditionNotices } from '../support/outbox.ts'
import { advanceEditions, makeDueEditions } from '../support/pipeline.ts'
import { type Fault, startRelay } from '../support/smtp/relay.ts'
import { newsFeed, openWorld, publishTitles, subscribe, type World, type WorldOptions } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const thursday = '2026-11-26T12:00:00.000Z'
const friday = '2026-11-27T07:00:00.000Z'
const week = 7 * day

onBothEngines('an edition', (freshUrl) => {
  async function world({ people = 3, ...options }: Partial<WorldOptions> & { people?: number } = {}) {
    let fault: Fault
    const relay = await startRelay((stage) => (stage === 'dot' ? fault : undefined))
    closing.push(relay.close)
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, ...options })
    closing.push(it.close)
    await subscribe(it, people)
    it.clock.set(thursday)
    await makeDueEditions(it.app) // the digest is met
    const sender = await openSender(it.app)
    closing.push(sender.close)
    const tick = async (instant: string) => {
      it.clock.set(instant)
      await makeDueEditions(it.app)
      await advanceEditions(it.app, sender)
    }
    const editions = async () =>
      (await latestEditions(it.app.db, { limit: 100 })).map(({ number, status, reason }) => ({
        number,
        status,
        reason: reason && describeReason(reason),
      }))
    const newest = async () => {
      const [edition] = await latestEditions(it.app.db, { limit: 1 })
      if (!edition) throw new Error('no edition')
      return edition
    }
    const fail = (next: Fault) => {
      fault = next
    }
    return { it, relay, sender, tick, editions, newest, fail }
  }

  const titles = async ({ app }: World, id: string) =>
    (await choicesOf(app.db, id)).filter(({ position }) => position !== null).map(({ title }) => title)

  test.each(['auto', 'required'])(
    'for nobody is skipped with the reason and without a number, and the next one has its articles (%s)',
    async (approval) => {
      const { it, relay, tick, editions, newest } = await world({ people: 0, job: { approval } })
      await publishTitles(it, newsFeed, ['One', 'Two'])
      await tick(friday)
      expect(await editions()).toEqual([
        { number: null, status: 'skipped', reason: expect.stringContaining('nobody is subscribed to weekly') },
      ])
      await subscribe(it, 2)
      await tick(addMs(friday, week))
      expect(await newest()).toMatchObject({ number: 1, status: approval === 'auto' ? 'sent' : 'sealed' })
      expect(await titles(it, (await newest()).id)).toEqual(['One', 'Two'])
      expect(relay.accepted).toHaveLength(approval === 'auto' ? 2 : 0)
    },
  )

  test('whose last subscriber leaves between seal and sending is skipped, and gives back what it holds', async () => {
    const { it, relay, tick, editions, newest } = await world({ people: 1, job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const { id } = await newest()
    await approve(it.app, id, 'Ada')
    const [person] = await it.app.db.selectFrom('subscribers').select('id').execute()
    await endSubscription(it.app.db, 'weekly', person?.id ?? '', it.clock.now())
    await tick(addMs(friday, minute))
    expect(await editions()).toEqual([
      { number: null, status: 'skipped', reason: expect.stringContaining('nobody was subscribed') },
    ])
    await subscribe(it, 2)
    await tick(addMs(friday, week))
    expect((await newest()).number).toBe(1)
    expect(await titles(it, (await newest()).id)).toEqual(['One', 'Two'])
    expect(relay.accepted).toEqual([])
  })

  test('that nobody approves is replaced by the next one, which has its articles and letters', async () => {
    const { it, tick, editions, newest } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const letter = {
      headline: 'More trams',
      text: 'Please.',
      name: 'Ada',
      place: 'Leeds',
      received: thursday.slice(0, 10),
    }
    await createLetter(it.app, it.digest, letter, 'mira')
    await tick(friday)
    const first = await newest()
    it.clock.set(addMs(friday, week - hour))
    await publishTitles(it, newsFeed, ['Three'])
    await tick(addMs(friday, week))
    expect(await editions()).toEqual([
      { number: 2, status: 'sealed', reason: null },
      { number: 1, status: 'cancelled', reason: 'replaced by edition 2' },
    ])
    expect(await titles(it, (await newest()).id)).toEqual(expect.arrayContaining(['One', 'Two', 'Three', 'More trams']))
    await expect(approve(it.app, first.id, 'Ada')).rejects.toThrow('cancelled')
    await tick(addMs(friday, 2 * week))
    expect((await editions()).map(({ status }) => status)).toEqual(['sealed', 'cancelled', 'cancelled'])
  })

  test('that a rule holds is replaced too; one that a person holds stays, and so do its articles', async () => {
    const thin = '{ minimum: 3, rule: hold }'
    const { it, tick, editions, newest } = await world({ job: { approval: 'required', thin } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    expect((await newest()).status).toBe('held')
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    await tick(addMs(friday, week))
    expect((await editions()).map(({ status }) => status)).toEqual(['sealed', 'cancelled'])
    const held = await newest()
    await hold(it.app, held.id, 'Ben', 'headline 2 needs the lawyer')
    await publishTitles(it, newsFeed, ['Five', 'Six', 'Seven'])
    await tick(addMs(friday, 2 * week))
    expect((await editions()).map(({ status }) => status)).toEqual(['sealed', 'held', 'cancelled'])
    expect(await titles(it, (await newest()).id)).toEqual(['Five', 'Six', 'Seven'])
    expect(await titles(it, held.id)).toEqual(expect.arrayContaining(['One', 'Two', 'Three', 'Four']))
  })

  test('that a person holds says in its mail that the next one is made beside it, and any other that it is replaced', async () => {
    const { it, relay, sender, tick, newest } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const texts = async () => {
      await sendEditionNotices(it.app, sender.relays)
      return await Promise.all(relay.accepted.map(async ({ raw }) => (await simpleParser(raw)).text ?? ''))
    }
    const [first] = await texts()
    expect(first).toContain('If nobody does, the next edition takes its place')
    expect(first).toContain('Includes 2 articles')
    await hold(it.app, (await newest()).id, 'Ben', 'headline 2 needs the lawyer')
    it.clock.advance(day)
    const [, reminder] = await texts()
    expect(reminder).toContain('the next edition is made beside it')
    expect(reminder).not.toContain('If nobody does, the next edition takes its place')
  })

  test('is not replaced by one that is skipped', async () => {
    const { it, tick, editions } = await world({ job: { approval: 'required', thin: '{ minimum: 2, rule: skip }' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const all = it.digest.sections.map((section) => ({
      ...section,
      exclude: { categories: [], words: ['one'], authors: [] },
    }))
    Object.assign(it.digest, { sections: all })
    await tick(addMs(friday, week))
    expect((await editions()).map(({ status }) => status)).toEqual(['skipped', 'sealed'])
  })

  test('bears the day on which it can be approved: it is sealed again when a day is over, with the same choice', async () => {
    const { it, relay, tick, newest } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const { id, number } = await newest()
    const bytes = async () => (await variantsOf(it.app.db, id))[0]
    const first = await bytes()
    const seen = await currentRevision(it.app.db, await newest())
    expect(first?.html).toContain('Friday, 27 November 2026')
    await tick(addMs(friday, 10 * hour))
    expect((await bytes())?.sha256).toBe(first?.sha256)
    await publishTitles(it, newsFeed, ['Later'])
    await tick(addMs(friday, 3 * day))
    const second = await bytes()
    expect(second?.html).toContain('Monday 30 November 2026'.replace('Monday ', 'Monday, '))
    expect(second?.html).not.toContain('27 November')
    expect(await titles(it, id)).toEqual(['One', 'Two'])
    await expect(approve(it.app, id, 'Ada', { seen })).rejects.toThrow('has changed since you looked at it')
    await approve(it.app, id, 'Ada', { seen: await currentRevision(it.app.db, await newest()) })
    await tick(addMs(friday, 5 * day)) // approved: nothing is changed any more
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'sent', number })
    const mail = await simpleParser(relay.accepted[0]?.raw ?? '')
    expect(mail.text).toContain('30 November 2026')
  })

  test('bears the day of its own zone', async () => {
    const job = { approval: 'required', zone: 'Asia/Tokyo', schedule: '"0 23 * * FRI"' }
    const { it, tick, newest } = await world({ job })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const html = async () => (await variantsOf(it.app.db, (await newest()).id))[0]?.html
    await tick('2026-11-27T14:00:00.000Z')
    expect(await html()).toContain('27 November 2026')
    await tick('2026-11-27T15:30:00.000Z') // half past midnight in Tokyo
    expect(await html()).toContain('28 November 2026')
  })

  test.each([
    ['is being sent', { status: 'sending' }],
    ['is paused', { status: 'paused' }],
  ] as const)('that was due before one that %s is not approved without a word', async (_, state) => {
    const { it, tick, newest } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const old = await newest()
    await hold(it.app, old.id, 'Ben', 'the lawyer')
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    await tick(addMs(friday, week))
    const { id } = await newest()
    await it.app.db.updateTable('editions').set(state).where('id', '=', id).execute()
    const refused = await approve(it.app, old.id, 'Ada').catch((error) => error)
    expect(refused).toBeInstanceOf(ApprovalRefused)
    expect(refused.obstacles).toEqual([{ code: 'newer-sent', number: 2 }])
  })

  test('that was due before one that merely waits is approved', async () => {
    const { it, tick, newest } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const old = await newest()
    await hold(it.app, old.id, 'Ben', 'the lawyer')
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    await tick(addMs(friday, week))
    await hold(it.app, (await newest()).id, 'Ben', 'the lawyer')
    await approve(it.app, old.id, 'Ada')
    expect((await editionById(it.app.db, old.id))?.status).toBe('approved')
  })

  test('that was due before one which is out already is not approved without a word', async () => {
    const { it, tick, newest } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const old = await newest()
    await hold(it.app, old.id, 'Ben', 'the lawyer')
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    await tick(addMs(friday, week))
    await approve(it.app, (await newest()).id, 'Ada')
    await tick(addMs(friday, week + minute))
    const refused = await approve(it.app, old.id, 'Ada').catch((error) => error)
    expect(refused).toBeInstanceOf(ApprovalRefused)
    expect(refused.obstacles).toEqual([{ code: 'newer-sent', number: 2 }])
    await approve(it.app, old.id, 'Ada', { anyway: true })
    expect((await editionHistory(it.app.db, old.id)).at(-1)?.what).toContain(
      'in spite of this: a newer edition was sent',
    )
  })

  test('without an article is approved by nobody in passing, and held by a rule', async () => {
    const { it, tick, newest } = await world({ job: { approval: 'required', thin: '{ minimum: 1, rule: hold }' } })
    await tick(friday)
    const { id, status, subject } = await newest()
    expect([status, subject]).toEqual(['held', 'The Weekly 1'])
    await expect(approve(it.app, id, 'Ada')).rejects.toThrow('There is no article in it.')
    expect((await editionById(it.app.db, id))?.status).toBe('held')
    await it.app.db.updateTable('editions').set({ status: 'sealed', reason: null, subject: ' ' }).execute()
    expect(await approveByRule(it.app, id, 'rule')).toBe(false)
    expect(inWords(await editionById(it.app.db, id))).toMatchObject({
      status: 'held',
      reason: 'there is no article in it; its subject is empty',
    })
    await approve(it.app, id, 'Ada', { anyway: true })
    expect((await editionById(it.app.db, id))?.status).toBe('approved')
  })

  test('that waits is told to the editors once, once more after a day, and when it is replaced', async () => {
    const { it, relay, sender, tick, newest } = await world({ job: { approval: 'required' } })
    Object.assign(it.app.config.publication, { editors: 'desk@magazine.example' })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    const { id } = await newest()
    const look = () =>
      Promise.all([sendEditionNotices(it.app, sender.relays), sendEditionNotices(it.app, sender.relays)])
    const mails = async () =>
      Promise.all(relay.accepted.map(async ({ to, raw }) => ({ ...(await simpleParser(raw)), to })))
    await look()
    await look()
    const [first, ...others] = await mails()
    expect(others).toEqual([])
    expect(first).toMatchObject({ to: 'desk@magazine.example', subject: 'The Magazine: weekly 1 waits for approval' })
    for (const line of ['One · The Weekly 1', '3 people', '2 articles', `/studio/editions/${id}`])
      expect(first?.text).toContain(line)
    it.clock.advance(day - minute)
    await look()
    expect(await mails()).toHaveLength(1)
    for (let days = 0; days < 6; days++) {
      it.clock.advance(day)
      await look()
    }
    expect((await mails()).map(({ subject }) => subject)).toEqual([
      'The Magazine: weekly 1 waits for approval',
      'The Magazine: reminder: weekly 1 waits for approval',
    ])
    await tick(addMs(friday, week))
    await look()
    expect(
      (await mails())
        .slice(2)
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(['The Magazine: weekly 1 was replaced by edition 2', 'The Magazine: weekly 2 waits for approval'])
    it.clock.advance(hour)
    await approve(it.app, (await newest()).id, 'Ada')
    it.clock.advance(2 * day)
    await look()
    expect(await mails()).toHaveLength(4)
  })

  test('whose approval is withdrawn by a retraction or a hold is told again, once each, with the reason', async () => {
    const { it, relay, sender, tick, newest } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three', 'Four'])
    await tick(friday)
    const mails = async () => {
      await advanceEditions(it.app, sender)
      await sendEditionNotices(it.app, sender.relays)
      await sendEditionNotices(it.app, sender.relays)
      return await Promise.all(relay.accepted.splice(0).map(({ raw }) => simpleParser(raw)))
    }
    expect((await mails()).map(({ subject }) => subject)).toEqual(['The Magazine: weekly 1 waits for approval'])
    const { id } = await newest()
    await approve(it.app, id, 'Jo')
    await retractArticle(it.app, 'https://magazine.example/one', { who: 'Ann', reason: 'wrong' })
    const [retracted, ...others] = await mails()
    expect(others).toEqual([])
    expect(retracted?.subject).toBe('The Magazine: weekly 1 waits for approval again')
    expect(retracted?.text).toContain('weekly 1 has changed since it was approved. It waits for your approval again.')
    it.clock.advance(minute)
    await approve(it.app, id, 'Jo')
    await hold(it.app, id, 'Ben', 'the lawyer')
    const [held] = await mails()
    expect(held?.text).toContain('weekly 1 was approved and is now on hold. It waits for your approval again.')
    it.clock.advance(day)
    expect((await mails()).map(({ subject }) => subject)).toEqual([
      'The Magazine: reminder: weekly 1 waits for approval',
    ])
  })

  test('that waits is told again when the relay was out, and by another process when the first has died over it', async () => {
    const { it, relay, sender, tick, fail } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    fail('451 4.3.0 later')
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(0)
    fail(undefined)
    it.clock.advance(5 * minute)
    const dying = { send: () => Promise.reject(new Error('killed')) }
    await expect(sendEditionNotices(it.app, dying)).rejects.toThrow('killed')
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(0)
    it.clock.advance(10 * minute)
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(1)
    expect(relay.accepted).toHaveLength(1)
  })

  test('that was approved before the relay was back is told to nobody', async () => {
    const { it, relay, sender, tick, newest, fail } = await world({ job: { approval: 'required' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    fail('451 4.3.0 later')
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(0)
    await approve(it.app, (await newest()).id, 'Ada')
    fail(undefined)
    it.clock.advance(10 * minute)
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(0)
    expect(relay.accepted).toEqual([])
  })

  test('of a daily digest is told again after half a day', async () => {
    const { it, relay, sender, tick } = await world({ job: { approval: 'required', schedule: '"0 7 * * *"' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await tick(friday)
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(1)
    it.clock.advance(11 * hour)
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(0)
    it.clock.advance(hour)
    expect(await sendEditionNotices(it.app, sender.relays)).toBe(1)
    expect((await simpleParser(relay.accepted.at(-1)?.raw ?? '')).subject).toContain('reminder: weekly 1')
  })

  const outside = [{ name: 'outside', host: 'smtp.harbour.net', port: 587, standby: true }]

  /** The same store with other settings, as after a restart. */
  async function restarted(it: World, change: (config: Config) => Config) {
    const app = await openApp({ config: change(it.app.config), clock: it.clock, log: it.app.log })
    closing.push(app.close)
    const sender = await openSender(app)
    closing.push(sender.close)
    return { app, sender }
  }
  const withUrl = (url: string) => (config: Config) => ({ ...config, web: { ...config.web, url } })

  test('is not sent with dead links: it waits, is sealed again when web.url is mended, and goes on', async () => {
    const { it, relay, tick, newest } = await world({ relays: outside })
    const logged: { event?: string; reasons?: string[] }[] = []
    const bad = await restarted(it, withUrl('http://localhost:3000'))
    bad.app.log = { info() {}, error() {}, warn: (fields) => void logged.push(fields) }
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await makeDueEditions(bad.app)
    await advanceEditions(bad.app, bad.sender)
    await advanceEditions(bad.app, bad.sender)
    const { id, status } = await newest()
    expect(status).toBe('sealed')
    expect(relay.accepted).toEqual([])
    expect(logged.find(({ event }) => event === 'edition.blocked')?.reasons?.[0]).toContain(
      'web.url is http://localhost:3000',
    )
    await expect(approve(bad.app, id, 'Ada')).rejects.toThrow('web.url is http://localhost:3000')

    const good = await restarted(it, withUrl('https://news.harbour.net'))
    await expect(approve(good.app, id, 'Ada')).rejects.toThrow('It was made while web.url was http://localhost:3000')
    await advanceEditions(good.app, good.sender)
    expect((await editionById(it.app.db, id))?.status).toBe('sent')
    expect(relay.accepted).toHaveLength(3)
    for (const { raw } of relay.accepted) {
      expect(raw.toString()).toContain('https://news.harbour.net/leave/')
      expect(raw.toString()).not.toContain('localhost:3000')
    }
    await tick(addMs(friday, minute))
  })

  test('that somebody lets go out in spite of its links goes out, and that stays on record', async () => {
    const { it, relay, newest } = await world({ relays: outside, job: { approval: 'required' } })
    const bad = await restarted(it, withUrl('http://10.1.2.3'))
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await makeDueEditions(bad.app)
    await advanceEditions(bad.app, bad.sender)
    const { id } = await newest()
    await it.app.db.updateTable('editions').set({ status: 'approved', approvedAt: friday }).execute()
    await expect(sendEdition(bad.app, bad.sender, id, { unknown: 'repeat' })).rejects.toThrow(
      'web.url is http://10.1.2.3',
    )
    await advanceEditions(bad.app, bad.sender)
    expect(relay.accepted).toEqual([])
    await it.app.db.updateTable('editions').set({ status: 'sealed', approvedAt: null }).execute()
    await approve(bad.app, id, 'Ada', { anyway: true })
    await advanceEditions(bad.app, bad.sender)
    expect(relay.accepted).toHaveLength(3)
    expect((await editionHistory(it.app.db, id)).map(({ what }) => what).join('\n')).toContain(
      'Approved in spite of this: web.url',
    )
  })

  /** One that was sealed with dead links, and the settings that are right. */
  async function withDeadLinks() {
    const { it, relay, newest } = await world({ relays: outside, job: { approval: 'required' } })
    const bad = await restarted(it, withUrl('http://10.1.2.3'))
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.set(friday)
    await makeDueEditions(bad.app)
    await advanceEditions(bad.app, bad.sender)
    const good = await restarted(it, withUrl('https://news.harbour.net'))
    const sha256 = async () => (await variantsOf(it.app.db, (await newest()).id))[0]?.sha256
    return { it, relay, newest, bad, good, sha256, id: (await newest()).id }
  }

  test('that is sealed again after its approval needs another one, and its editors are told', async () => {
    const { it, relay, good, id, newest, sha256 } = await withDeadLinks()
    await it.app.db.updateTable('editions').set({ status: 'approved', approvedAt: friday }).execute()
    const before = await sha256()
    await advanceEditions(good.app, good.sender)
    expect(await newest()).toMatchObject({ id, status: 'sealed', approvedAt: null })
    expect(await sha256()).not.toBe(before)
    expect(await sendEditionNotices(good.app, good.sender.relays)).toBe(1)
    expect((await noticesOf(it.app.db, id)).map(({ kind }) => kind)).toEqual(['edition-waiting'])
    const mails = await Promise.all(relay.accepted.map(({ raw }) => simpleParser(raw)))
    expect(mails.map(({ subject }) => subject)).toEqual(['The Magazine: weekly 1 waits for approval'])
  })

  test('that somebody approved in spite of its links goes out as it was sealed, also once they are mended', async () => {
    const { relay, bad, good, id, newest, sha256 } = await withDeadLinks()
    await approve(bad.app, id, 'Ada', { anyway: true })
    const before = await sha256()
    await advanceEditions(good.app, good.sender)
    expect(await newest()).toMatchObject({ id, status: 'sent' })
    expect(await sha256()).toBe(before)
    expect(relay.accepted).toHaveLength(3)
  })
})
