import { afterEach, expect, test } from 'vitest'
import { editionAdmission } from '../../src/deliveries/limits/edition-admission.ts'
import { ProviderRates } from '../../src/deliveries/limits/provider-rates.ts'
import { Providers } from '../../src/deliveries/limits/providers.ts'
import { PacedQueue } from '../../src/deliveries/paced-queue.ts'
import type { QueuedDelivery } from '../../src/store/deliveries/deliveries.ts'
import { openStore } from '../../src/store/open.ts'
import { minute, second } from '../../src/time/clock.ts'
import { fakeClock } from '../support/clock.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
import { inWords } from '../support/history.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const clock = fakeClock()

/** A queue over deliveries to these addresses; what it hands out is not due any more. */
async function queueOver(emails: string[], maxSlowWaitMs: number, isWanted = () => false) {
  const { url, remove } = sqliteUrl()
  const { db, close } = await openStore(url, clock)
  closing.push(remove, close)
  const rates = await ProviderRates.open({ db, clock, providers: new Providers({ db, clock }) })
  const admission = editionAdmission({ db, clock }, { zone: 'UTC' })
  const due = emails.map((email, index) => delivery(String(index).padStart(6, '0'), email))
  const gone = new Set<string>()
  let pages = 0
  const readAs = new WeakMap<QueuedDelivery, number>()
  const queue = new PacedQueue({
    clock,
    rates,
    admission,
    maxSlowWaitMs,
    isWanted,
    isOver: async () => false,
    async readPage(after: string) {
      pages += 1
      const rows = due.filter(({ subscriberId }) => subscriberId > after && !gone.has(subscriberId)).slice(0, 100)
      return rows.map((row) => {
        const read = { ...row } // as a store gives it: each time an object of its own
        readAs.set(read, pages)
        return read
      })
    },
  })
  const next = async () => {
    const one = await queue.next(null)
    if (one) gone.add(one.subscriberId)
    return one
  }
  return { queue, next, rates, pages: () => pages, pageOf: (one: QueuedDelivery) => readAs.get(one) ?? Number.NaN }
}

function delivery(subscriberId: string, email: string): QueuedDelivery {
  return { editionId: 'one', subscriberId, status: 'queued', attempts: 0, cutSince: null, relay: null, email, name: '' }
}

function slow(rates: ProviderRates, domain: string, times = 1): void {
  for (let time = 0; time < times; time++) {
    const ticket = rates.begin(`anybody@${domain}`, null)
    rates.recordResult(ticket, { kind: 'cut', reply: '421 busy' }, clock.now())
  }
}

test('thousands at slow providers are passed by and met again, each once, and the others come first', async () => {
  const emails = Array.from({ length: 6000 }, (_, index) =>
    index % 100 < 98 ? `a@slow${index % 30}.example` : 'a@fast.example',
  )
  const { next, rates, pages } = await queueOver(emails, Number.POSITIVE_INFINITY)
  for (let one = 0; one < 30; one++) slow(rates, `slow${one}.example`)
  const got: QueuedDelivery[] = []
  for (let one = await next(); one; one = await next()) got.push(one)
  expect(got).toHaveLength(6000)
  expect(new Set(got.map(({ subscriberId }) => subscriberId)).size).toBe(6000)
  expect(got.slice(0, 120).every(({ email }) => email === 'a@fast.example')).toBe(true)
  expect(pages()).toBeLessThan(600)
})

test.each([
  { providers: 30, most: 2000 },
  { providers: 1, most: 100 },
])(
  'of 6000 deliveries to slow providers ($providers of them) at most $most are held in memory, and all go out',
  async ({ providers, most }) => {
    const emails = Array.from({ length: 6000 }, (_, index) => `a@slow${index % providers}.example`)
    const { next, rates, pages, pageOf } = await queueOver(emails, Number.POSITIVE_INFINITY)
    for (let one = 0; one < providers; one++) slow(rates, `slow${one}.example`)
    const held: number[] = [] // by page: how many of what had been read up to it went out after the next was read
    let count = 0
    for (let one = await next(); one; one = await next()) {
      count += 1
      for (let page = pageOf(one); page < pages(); page++) held[page] = (held[page] ?? 0) + 1
    }
    expect(count).toBe(6000)
    expect(Math.max(...Object.values(held))).toBeLessThanOrEqual(most)
  },
)

test('a queue that has waited long enough ends with the reason, and when to come again', async () => {
  const { next, queue, rates } = await queueOver(
    Array.from({ length: 50 }, () => 'a@slow.example'),
    10 * second,
  )
  slow(rates, 'slow.example', 20)
  const began = clock.now()
  let got = 0
  while (await next()) got += 1
  expect(got).toBeGreaterThan(0)
  expect(got).toBeLessThan(5)
  expect(Date.parse(clock.now()) - Date.parse(began)).toBeLessThan(minute)
  expect(inWords(queue.wait)?.reason).toBe('slow.example is slow: 421 busy')
  expect(queue.wait && queue.wait.until > clock.now()).toBe(true)
})

test('what was on its way when a provider complained makes it no slower', async () => {
  const { rates } = await queueOver([], 0)
  const tickets = Array.from({ length: 20 }, () => rates.begin('a@slow.example', null))
  for (const ticket of tickets) rates.recordResult(ticket, { kind: 'cut', reply: '421 busy' }, clock.now())
  expect(rates.of('b@slow.example', null).pace.rate).toBe(10)
})

test('a connection that waits for a slow provider is handed over when another edition has none', async () => {
  let isWanted = false
  const { queue, next, rates } = await queueOver(
    Array.from({ length: 20 }, () => 'a@slow.example'),
    minute,
    () => isWanted,
  )
  slow(rates, 'slow.example', 20)
  expect(await next()).toBeDefined()
  isWanted = true
  expect(await next()).toBeUndefined()
  expect([queue.wait, queue.isHandedOver(null)]).toEqual([undefined, true])
  isWanted = false
  expect(await next()).toBeDefined()
  expect(queue.isHandedOver(null)).toBe(false)
})
