import { afterEach, describe, expect, test } from 'vitest'
import { type CanaryRule, judge, planCanaries } from '../../../src/deliveries/limits/canary.ts'
import { resume } from '../../../src/editions/review/pause.ts'
import { sendEdition } from '../../../src/pipeline/sending/send.ts'
import { canariesOf, planFirstShares } from '../../../src/store/deliveries/canaries.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import type { EditionRow } from '../../../src/store/schema.ts'
import { addSubscribers } from '../../../src/store/subscribers/subscribers.ts'
import { addMs, minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { editionHistory, inWords } from '../../support/history.ts'
import { peopleAt, type Ready, readyToSend } from '../../support/ready.ts'

const now = '2026-11-27T07:00:00.000Z'
const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe('a first share', () => {
  const verdict = (tried: number, againstUs: number, { refusals = 0.05, due = 0, waited = 31 } = {}) => {
    const canary = {
      name: 'large.example',
      recipients: 2000,
      waitingSince: due > 0 ? null : addMs(now, -waited * minute),
    }
    return judge(canary, { tried, due, againstUs, example: '550 5.7.1 blocked' }, { refusals, wait: '30m' }, now).kind
  }

  test.each([
    [20, 1, 'release'],
    [20, 2, 'stop'],
    [40, 2, 'release'],
    [40, 3, 'stop'],
    [100, 5, 'release'],
    [100, 6, 'stop'],
    [10, 2, 'stop'],
    [0, 0, 'release'],
  ])('of which %i were tried, with %i answers about us, ends in %s', (tried, againstUs, kind) => {
    expect(verdict(tried, againstUs)).toBe(kind)
  })

  test('is not stopped by one answer alone, unless the rule allows none', () => {
    for (const tried of [1, 10, 12, 19]) expect([tried, verdict(tried, 1)]).toEqual([tried, 'release'])
    expect(verdict(40, 1, { refusals: 0.01 })).toBe('release')
    expect(verdict(40, 1, { refusals: 0 })).toBe('stop')
  })

  test('is stopped before everybody was tried only where nothing can change that any more', () => {
    expect(verdict(10, 2, { due: 30 })).toBe('wait')
    expect(verdict(10, 3, { due: 30 })).toBe('stop')
  })

  test('waits for its answers, and no longer', () => {
    expect(verdict(40, 0, { waited: 29 })).toBe('wait')
    expect(verdict(40, 0, { waited: 30 })).toBe('release')
  })
})

onBothEngines('a canary', (freshUrl) => {
  const ready = async (options: Omit<Parameters<typeof readyToSend>[0], 'storeUrl' | 'closing'>) =>
    readyToSend({ storeUrl: await freshUrl(), closing, ...options })
  const canary = '{ minimum: 100 }'

  test('begins with as many people as its share is, and at least ten, wherever on the ring it begins', async () => {
    const { it } = await ready({
      people: [...peopleAt('few.example', 99), ...peopleAt('some.example', 130), ...peopleAt('many.example', 1500)],
    })
    const { db, store } = it.app
    const people = await db.selectFrom('subscribers').select(['id', 'email']).execute()
    const wanted = { 'some.example': 10, 'many.example': 30 }
    const begins = Array.from({ length: 128 }, (_, index) => ((index * 331) % 4096).toString(16).padStart(3, '0'))
    for (const firstPlace of [...begins, '000', '001', 'fff']) {
      const rule = { minimum: 100, share: 0.02, minRecipients: 10, firstPlace }
      const shares = await planFirstShares(db, store.engine, 'weekly', rule)
      expect(shares.map(({ name, recipients }) => [name, recipients])).toEqual([
        ['many.example', 1500],
        ['some.example', 130],
      ])
      for (const { name, lastPlace } of shares) {
        const places = people
          .filter(({ email }) => email.endsWith(`@${name}`))
          .map(({ id }) => distance(firstPlace, id.slice(-3)))
        const inShare = places.filter((place) => place <= distance(firstPlace, lastPlace))
        const least = wanted[name as keyof typeof wanted]
        expect(inShare.length).toBeGreaterThanOrEqual(least)
        const withoutLast = inShare.filter((place) => place < distance(firstPlace, lastPlace))
        expect(withoutLast.length).toBeLessThan(least)
      }
    }
  })

  test('may have its whole provider as its first share', async () => {
    const { it } = await ready({ people: peopleAt('small.example', 12) })
    const { db, store } = it.app
    for (const firstPlace of ['000', '7ab', 'fff']) {
      const rule = { minimum: 5, share: 0.02, minRecipients: 12, firstPlace }
      const [share] = await planFirstShares(db, store.engine, 'weekly', rule)
      const ids = (await db.selectFrom('subscribers').select('id').execute()).map(({ id }) => id)
      const last = Math.max(...ids.map((id) => distance(firstPlace, id.slice(-3))))
      expect(distance(firstPlace, share?.lastPlace ?? '')).toBe(last)
    }
  })

  test('has the same people however often the audience is frozen, at least ten, and others in the next edition', async () => {
    const it = await ready({ people: peopleAt('large.example', 250), job: { canary } })
    await send(it)
    const [share] = await it.it.app.db.selectFrom('canaries').selectAll().where('editionId', '=', it.id).execute()
    const ref = (await editionById(it.it.app.db, it.id))?.ref ?? ''
    expect(share?.firstPlace).toBe(ref.slice(-3))
    const rows = await it.it.app.db.selectFrom('deliveries').selectAll().where('firstOf', 'is not', null).execute()
    expect(rows.length).toBeGreaterThanOrEqual(10)
    const first = distance(share?.firstPlace ?? '', share?.lastPlace ?? '')
    for (const { subscriberId } of rows)
      expect(distance(share?.firstPlace ?? '', subscriberId.slice(-3))).toBeLessThanOrEqual(first)
    expect(it.relay.accepted).toHaveLength(rows.length)
  })

  test('is decided once: a provider that has grown large enough since has none', async () => {
    const it = await ready({ people: peopleAt('large.example', 250), job: { canary } })
    await send(it)
    const { app, digest, clock } = it.it
    const rows = await canariesOf(app.db, it.id)
    const joined = peopleAt('grown.example', 250).map(({ email }) => ({ email, emailKey: email }))
    const fresh = joined.map((one) => ({ ...one, name: '', attributes: {}, proof: 'test' }))
    await addSubscribers(app.db, digest.name, fresh, clock.now())
    const edition = (await editionById(app.db, it.id)) as EditionRow
    const needs = { db: app.db, engine: app.store.engine, clock, providers: it.sender.providers }
    expect(await planCanaries(needs, edition, digest.canary as CanaryRule)).toBe(1)
    expect(rows.map(({ name }) => name)).toEqual(['large.example'])
    expect(await canariesOf(app.db, it.id)).toEqual(rows)
  })

  const aboutPeople = {
    'unknown users': '550 5.1.1 User unknown',
    'full mailboxes': '552 5.2.2 mailbox full',
    'closed mailboxes': '550 5.2.1 this account is disabled',
    'words that say nothing': '554 5.0.0 no',
    greylisting: '451 4.7.1 Greylisted, please try again in 90 seconds',
    'a server that goes down': '451 4.3.2 system not accepting messages',
    'a server with a fault of its own': '554 internal server error',
  }

  test.each(Object.entries(aboutPeople))('is released though %s are among its first share', async (_, answer) => {
    let refused = 0
    const it = await ready({
      people: peopleAt('large.example', 300),
      job: { canary },
      faultAt: (stage) => (stage === 'RCPT' && refused++ < 4 ? answer : undefined),
    })
    const first = await send(it)
    expect(first.wait?.until).toBe('2026-11-27T07:30:00.000Z')
    it.it.clock.advance(30 * minute)
    await send(it)
    expect((await countDeliveries(it.it.app.db, it.id)).accepted).toBeGreaterThanOrEqual(290)
    expect(await it.it.app.db.selectFrom('outbox').selectAll().execute()).toEqual([])
  })

  test('that stopped an edition stops nobody else after a resume, whatever its provider goes on to answer', async () => {
    const it = await ready({
      people: [...peopleAt('blocks.example', 400), ...peopleAt('good.example', 200)],
      job: { canary: '{ minimum: 100, share: 0.1 }' },
      faultAt: (stage, { to }) =>
        stage === 'RCPT' && /[05]@blocks\.example$/.test(to) ? '550 5.7.1 blocked by policy' : undefined,
    })
    const { app, clock } = it.it
    await send(it)
    expect(inWords(await editionById(app.db, it.id))).toMatchObject({
      status: 'paused',
      reason: expect.stringContaining('blocks.example'),
    })
    expect(countAt(it, 'good.example')).toBeLessThan(30)
    clock.advance(31 * minute)
    await resume(app, it.id, 'Ada')
    await untilDone(it, () => countAt(it, 'good.example') === 200)
    expect(countAt(it, 'good.example')).toBe(200)
    const history = (await editionHistory(app.db, it.id)).map(({ what }) => what)
    expect(history).toContain('Canary overruled: sending to blocks.example continues')
    expect(history.filter((what) => what.startsWith('Paused: canary'))).toHaveLength(1)
  })

  test('waits for its own time while the edition is paused, and is released before the next pass can be paused', async () => {
    const it = await ready({
      people: [
        ...peopleAt('good.example', 200),
        ...peopleAt('a.example', 9),
        ...peopleAt('b.example', 9),
        ...peopleAt('c.example', 9),
      ],
      job: { canary },
      relay: { connections: 1 },
      faultAt: (stage, { to }) => (stage === 'RCPT' && !to.endsWith('@good.example') ? '550 5.7.1 not you' : undefined),
    })
    const { app, clock } = it.it
    await send(it)
    expect((await editionById(app.db, it.id))?.status).toBe('paused')
    expect(countAt(it, 'good.example')).toBeLessThan(20)
    clock.advance(31 * minute)
    await resume(app, it.id, 'Ada')
    await send(it)
    expect(countAt(it, 'good.example')).toBe(200)
  })

  test('of two providers that refuse us alike is overruled by one resume, and both are named', async () => {
    const it = await ready({
      people: [...peopleAt('a.example', 200), ...peopleAt('b.example', 200)],
      job: { canary },
      relay: { connections: 1 },
      faultAt: (() => {
        let heard = 0
        return (stage) => (stage === 'RCPT' && heard++ % 2 === 0 ? '550 5.7.1 blocked' : undefined)
      })(),
    })
    const { app } = it.it
    await send(it)
    const { status, reason } = inWords(await editionById(app.db, it.id)) ?? {}
    expect(status).toBe('paused')
    for (const name of ['a.example', 'b.example']) expect(reason).toContain(`of 200 at ${name}`)
    await resume(app, it.id, 'Ada')
    await send(it)
    expect(await app.db.selectFrom('canaries').select('name').where('releasedAt', 'is', null).execute()).toEqual([])
  })
})

function distance(from: string, to: string): number {
  return (Number.parseInt(to, 16) - Number.parseInt(from, 16) + 4096) % 4096
}

function send({ it, sender, id }: Pick<Ready, 'it' | 'sender' | 'id'>) {
  return sendEdition(it.app, sender, id, { unknown: 'repeat' })
}

/** Passes, each with a resume if it was paused, until it is done or ten of them have not done it. */
async function untilDone(ready: Ready, isDone: () => boolean): Promise<void> {
  for (let pass = 0; pass < 10 && !isDone(); pass++) {
    if ((await editionById(ready.it.app.db, ready.id))?.status === 'paused') await resume(ready.it.app, ready.id, 'Ada')
    await send(ready)
    ready.it.clock.advance(minute)
  }
}

function countAt({ relay }: Ready, domain: string): number {
  return relay.accepted.filter(({ to }) => to.endsWith(`@${domain}`)).length
}
