import { describe, expect, test } from 'vitest'
import { afterResult, maxAttempts, nextAttempt } from '../../src/deliveries/delivery.ts'
import { isOutOfStep, type SendResult, toResult } from '../../src/mail/smtp/result.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { toJson } from '../../src/store/json.ts'
import { day, hour, minute, msBetween } from '../../src/time/clock.ts'

const now = '2026-11-27T19:00:00.000Z'
/** The first of all ids waits no longer than the waits say, the last nearly a fifth more. */
const [first, last] = ['019abc00-0000-7000-8000-000000000000', '019abc00-0000-7000-8000-000000000fff']

describe('the next try', () => {
  test.each([
    [1, '2026-11-27T19:15:00.000Z'],
    [2, '2026-11-27T20:00:00.000Z'],
    [3, '2026-11-27T23:00:00.000Z'],
    [4, '2026-11-28T03:00:00.000Z'],
    [5, '2026-11-28T07:00:00.000Z'],
  ])('after %i tries is at %s', (attempts, at) => {
    expect(nextAttempt({ subscriberId: first, attempts }, now)).toBe(at)
  })

  test.each([maxAttempts, 7, 100])('after %i tries is none', (attempts) => {
    expect(nextAttempt({ subscriberId: first, attempts }, now)).toBeNull()
  })

  test('waits longer each time, and Friday night reaches Saturday night in six tries', () => {
    let at = now
    const waits: number[] = []
    for (let attempts = 1; ; attempts++) {
      const next = nextAttempt({ subscriberId: first, attempts }, at)
      if (next === null) break
      waits.push(msBetween(at, next))
      at = next
    }
    expect(waits).toHaveLength(maxAttempts - 1)
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
    expect(msBetween(now, at)).toBe(25 * hour + 15 * minute)
  })

  test('is when the server asks for it, and from the second on not closer than our own waits, one step behind', () => {
    const waits = (reply: string) =>
      [1, 2, 3, 4, 5].map((attempts) => {
        const next = nextAttempt({ subscriberId: first, attempts }, now, reply)
        return next && msBetween(now, next) / minute
      })
    expect(waits('451 4.7.1 try again in 2 minutes')).toEqual([2, 15, 60, 240, 480])
    expect(waits('451 4.7.1 come back in 3 hours')).toEqual([180, 180, 180, 240, 480])
    expect(nextAttempt({ subscriberId: first, attempts: 6 }, now, '451 try again in 2 minutes')).toBeNull()
  })

  test('is up to a fifth later for some than for others, and always the same for one', () => {
    const waits = [first, last, last].map((subscriberId) =>
      msBetween(now, nextAttempt({ subscriberId, attempts: 1 }, now) ?? now),
    )
    expect(waits[0]).toBe(15 * minute)
    expect(waits[1]).toBeGreaterThan(17.9 * minute)
    expect(waits[1]).toBeLessThan(18 * minute)
    expect(waits[2]).toBe(waits[1])
  })
})

describe('an answer whose code is none of SMTP', () => {
  const codes = [0, 99, 199, 600, 999, Number.NaN]

  test.each(codes)('%d breaks the connection, and says nothing about the person', (code) => {
    for (const verb of ['MAIL', 'RCPT', 'DATA'] as const) {
      expect(toResult(verb, { code, text: `${code} no such user` }).kind).toBe('cut')
      expect(isOutOfStep(verb, code)).toBe(true)
    }
  })

  test.each([...codes, 300, 354, 399])('%d after the message leaves open what became of it', (code) => {
    expect(toResult('dot', { code, text: `${code} no such user` }).kind).toBe('unknown')
  })
})

describe('a delivery', () => {
  const ended = (kind: Exclude<SendResult['kind'], 'unfit'>, before: number, reply = '450 4.2.2 mailbox full') =>
    afterResult({ kind, reply }, { subscriberId: first, attempts: before, cutSince: null }, now)

  test.each(['accepted', 'refused'] as const)(
    'that the relay ended as %s is that, with its words, and not tried again',
    (kind) => {
      for (const before of [0, 3, 5])
        expect(ended(kind, before, '250 ok')).toEqual({
          status: kind,
          attempts: before + 1,
          reply: '250 ok',
          reason: null,
          nextAttemptAt: null,
          cutSince: null,
        })
    },
  )

  test('that was deferred is tried again later, with the words of the relay as they were', () => {
    expect(ended('deferred', 0)).toEqual({
      status: 'deferred',
      attempts: 1,
      reply: '450 4.2.2 mailbox full',
      reason: null,
      nextAttemptAt: '2026-11-27T19:15:00.000Z',
      cutSince: null,
    })
    expect(ended('deferred', 4)).toMatchObject({ status: 'deferred', attempts: 5 })
  })

  test('that was deferred for the sixth time is refused, and says how often and with what answer', () => {
    expect(ended('deferred', 5)).toEqual({
      status: 'refused',
      attempts: 6,
      reply: '450 4.2.2 mailbox full',
      reason: toJson<Reason>({ code: 'given-up', attempts: 6 }),
      nextAttemptAt: null,
      cutSince: null,
    })
  })

  test('that a server puts off for a time it names is tried again then, also where it closes the connection', () => {
    expect(ended('deferred', 0, '451 4.7.1 Greylisted, come back in 00:03:00')).toMatchObject({
      attempts: 1,
      nextAttemptAt: '2026-11-27T19:03:00.000Z',
    })
    expect(ended('cut', 0, '421 4.7.0 greylisted, try again in 20 minutes')).toMatchObject({
      attempts: 0,
      nextAttemptAt: '2026-11-27T19:20:00.000Z',
    })
    expect(ended('cut', 0, '421 4.7.0 go away')).toMatchObject({ nextAttemptAt: '2026-11-27T19:05:00.000Z' })
  })

  test('that may be out is unknown, with the time before which no rule repeats it, as long as tries are left', () => {
    expect(ended('unknown', 0, 'cut off')).toEqual({
      status: 'unknown',
      attempts: 1,
      reply: 'cut off',
      reason: null,
      nextAttemptAt: '2026-11-27T19:15:00.000Z',
      cutSince: null,
    })
    expect(ended('unknown', maxAttempts - 2)).toMatchObject({ nextAttemptAt: '2026-11-28T07:00:00.000Z' })
    expect(ended('unknown', maxAttempts - 1)).toMatchObject({ status: 'unknown', attempts: 6, nextAttemptAt: null })
  })

  test('that was not handed over is queued as before, and its tries do not count, however many', () => {
    for (const before of [0, 5, 40])
      expect(ended('unsent', before, 'ECONNREFUSED')).toEqual({
        status: 'queued',
        attempts: before,
        reply: 'ECONNREFUSED',
        reason: null,
        nextAttemptAt: null,
        cutSince: null,
      })
  })

  test('whose connection broke is given up four days after its own first cut, and not after anybody else’s', () => {
    const cut = (cutSince: string | null) =>
      afterResult(
        { kind: 'cut', reply: '421 4.3.2 shutting down' },
        { subscriberId: first, attempts: 0, cutSince },
        now,
      )
    const later = { status: 'deferred', attempts: 0, nextAttemptAt: '2026-11-27T19:05:00.000Z' }
    expect(cut(null)).toMatchObject({ ...later, cutSince: now })
    expect(cut('2026-11-23T19:00:00.000Z')).toMatchObject({ ...later, cutSince: '2026-11-23T19:00:00.000Z' })
    expect(cut('2026-11-23T18:59:00.000Z')).toMatchObject({
      status: 'refused',
      reply: '421 4.3.2 shutting down',
      reason: toJson<Reason>({ code: 'connection-cut', forMs: 4 * day }),
    })
    const row = (kind: 'unsent' | 'deferred') =>
      afterResult({ kind, reply: '' }, { subscriberId: first, attempts: 0, cutSince: '2026-11-23T18:59:00.000Z' }, now)
    expect(row('unsent').cutSince).toBe('2026-11-23T18:59:00.000Z')
    expect(row('deferred').cutSince).toBeNull()
  })

  test('is never left in a state without a way out', () => {
    for (const kind of ['accepted', 'refused', 'deferred', 'unknown', 'unsent'] as const)
      for (let before = 0; before < 10; before++) {
        const { status, nextAttemptAt } = ended(kind, before)
        if (status === 'deferred') expect(nextAttemptAt).not.toBeNull()
        if (status !== 'deferred' && status !== 'unknown') expect(nextAttemptAt).toBeNull()
        if (nextAttemptAt !== null) expect(nextAttemptAt > now).toBe(true)
      }
  })
})
