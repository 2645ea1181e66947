import { afterEach, expect, test } from 'vitest'
import { RefusalBreaker } from '../../../src/deliveries/judging/refusal-breaker.ts'
import { describeReason } from '../../../src/describe/describe.ts'
import { resume } from '../../../src/editions/review/pause.ts'
import type { SendResult } from '../../../src/mail/smtp/result.ts'
import { sendEdition } from '../../../src/pipeline/sending/send.ts'
import { openSender } from '../../../src/pipeline/sending/sender.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import type { Reason } from '../../../src/store/events/reason.ts'
import { minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { approvedEdition, subscribeAddresses } from '../../support/edition.ts'
import { editionHistory, inWords } from '../../support/history.ts'
import { noticesOf } from '../../support/outbox.ts'
import { type Fault, type Stage, startRelay } from '../../support/smtp/relay.ts'
import { openWorld } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Heard = [kind: Exclude<SendResult['kind'], 'unfit'>, domain: string]

const someone = (index: number, domain: string) => ({
  subscriberId: `${index}`,
  email: `a@${domain}`,
  provider: domain,
  isFirstTry: true,
})

/** What is made of answers that come one after another; the number of the one that is enough, and why. */
async function enough(
  answers: Heard[],
  isAll = false,
  isFirstTry = true,
): Promise<{ at: number; why: string } | undefined> {
  const breaker = new RefusalBreaker(() => Promise.resolve(isAll))
  for (const [index, [kind, domain]] of answers.entries()) {
    const result: SendResult = { kind, reply: `550 ${domain}` }
    if (kind === 'accepted') breaker.accepted()
    const why =
      kind === 'accepted' ? undefined : await breaker.recordResult(result, { ...someone(index, domain), isFirstTry })
    if (why) return { at: index + 1, why: describeReason(why) }
  }
  const why = await breaker.onlyRejections()
  return why ? { at: answers.length, why: describeReason(why) } : undefined
}

const repeated = (count: number, kind: Heard[0], ...domains: string[]): Heard[] =>
  Array.from({ length: count }, (_, index) => [kind, domains[index % domains.length] ?? ''])

test('addresses that SMTP cannot write count, and the reason says so', async () => {
  const breaker = new RefusalBreaker(async () => true)
  const reason = { code: 'invalid-address' as const, address: '"a b"' }
  let why: Reason | undefined
  for (let index = 0; index < 50; index++)
    why = await breaker.recordResult({ kind: 'refused', reply: '', reason }, someone(index, 'a.example'))
  expect(why).toMatchObject({ code: 'refusals-in-a-row', reply: reason })
  expect(why && describeReason(why)).toContain('"a b" is not an address that SMTP can write')
})

test('ten refusals about us in a row are enough when they come from three domains, and not from two', async () => {
  const taken: Heard[] = [['accepted', 'a.example']]
  expect(await enough([...taken, ...repeated(40, 'rejected', 'a.example', 'b.example', 'c.example')])).toEqual({
    at: 11,
    why: '10 refusals in a row that are about us, from 3 domains (a.example, b.example, c.example); the last answer: 550 a.example',
  })
  expect(await enough([...taken, ...repeated(40, 'rejected', 'a.example', 'b.example')])).toBeUndefined()
  expect(await enough([...taken, ...repeated(40, 'rejected', 'a.example')], true)).toMatchObject({ at: 11 })
})

test('nobody goes on while it is asked whether the edition goes to nobody else, and it is asked once', async () => {
  const { promise: answer, resolve } = Promise.withResolvers<boolean>()
  let asked = 0
  const breaker = new RefusalBreaker(() => {
    asked += 1
    return answer
  })
  const hear = (index: number) =>
    breaker.recordResult({ kind: 'rejected', reply: '550 no' }, someone(index, 'a.example'))
  for (let index = 1; index < 10; index++) expect(await hear(index)).toBeUndefined()
  const settled: (string | undefined)[] = []
  const waiting = Array.from({ length: 11 }, async (_, index) => {
    const why = await hear(10 + index)
    settled.push(why && describeReason(why))
  })
  await new Promise((done) => setImmediate(done))
  expect([asked, settled]).toEqual([1, []])
  resolve(true)
  await Promise.all(waiting)
  expect(settled[0]).toContain('10 refusals in a row that are about us, from the domain a.example')
  expect(settled.every((why) => why !== undefined)).toBe(true)
})

test('what is taken, or refused for the sake of a person, between them breaks the row', async () => {
  const nine = repeated(9, 'rejected', 'a.example', 'b.example', 'c.example')
  for (const kind of ['accepted', 'refused'] as const)
    expect(await enough([...nine, [kind, 'a.example'], ...nine])).toBeUndefined()
  expect(await enough([['accepted', 'a.example'], ...nine, ['deferred', 'a.example'], ...nine])).toMatchObject({
    at: 12,
  })
})

test('one provider of many domains is enough, with readers elsewhere between: thirty of a hundred, from ten domains', async () => {
  const hosted = Array.from({ length: 12 }, (_, index) => `company${index}.example`)
  const mixed = hosted.flatMap((domain): Heard[] => [
    ['accepted', 'other.example'],
    ['rejected', domain],
  ])
  const found = await enough([...mixed, ...mixed, ...mixed, ...mixed])
  expect(found).toMatchObject({
    at: 60,
    why: expect.stringMatching(/^30 of the last 60 answers are about us, from 12 domains/),
  })
  const few = mixed.map(([kind]): Heard => [kind, 'company.example'])
  expect(await enough([...few, ...few, ...few, ...few])).toBeUndefined()
})

test('fifty refusals in a row are enough, whatever they are about: the relay is broken, and not everybody gone', async () => {
  const two = ['a.example', 'b.example']
  expect(await enough([['accepted', 'a.example'], ...repeated(49, 'refused', ...two)])).toBeUndefined()
  expect(await enough(repeated(60, 'refused', ...two))).toMatchObject({ at: 50 })
})

test('however many one provider refuses, it is no row, unless the edition goes to nobody else', async () => {
  expect(await enough(repeated(300, 'refused', 'a.example'))).toBeUndefined()
  expect(await enough(repeated(300, 'refused', 'a.example'), true)).toMatchObject({ at: 50 })
  const few = Array.from({ length: 24 }, (_, index): Heard => ['refused', `domain${index}.example`])
  expect(await enough([...repeated(200, 'refused', 'a.example'), ...few])).toBeUndefined()
})

test('people who were put off before, and are due alone, are no row of refusals', async () => {
  expect(await enough(repeated(100, 'refused', 'a.example', 'b.example', 'c.example'), false, false)).toBeUndefined()
  expect(await enough(repeated(9, 'rejected', 'a.example', 'b.example', 'c.example'), false, false)).toBeUndefined()
})

test('a refused sender is paused with the setting that answers it', async () => {
  const breaker = new RefusalBreaker(() => Promise.resolve(true))
  const reply = '553 5.7.1 <a@magazine.example>: Sender address rejected: not owned by user weekly'
  let why: Reason | undefined
  for (let index = 0; index < 10; index++)
    why = await breaker.recordResult({ kind: 'rejected', reply }, someone(index, 'a.example'))
  expect(why && describeReason(why)).toContain('relay.personalReturnPath: false')
})

test('a broken connection says nothing about us', async () => {
  const kinds = ['cut', 'unsent', 'unknown'] as const
  for (const kind of kinds)
    expect(await enough(repeated(200, kind, 'a.example', 'b.example', 'c.example'))).toBeUndefined()
})

onBothEngines('an edition', (freshUrl) => {
  async function sendTo(addresses: string[], faultAt: (stage: Stage, about: { to: string }) => Fault) {
    const server = await startRelay(faultAt)
    closing.push(server.close)
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: server.port })
    closing.push(it.close)
    await subscribeAddresses(it, addresses)
    const id = await approvedEdition(it)
    const sender = await openSender(it.app)
    closing.push(sender.close)
    const send = () => sendEdition(it.app, sender, id, { unknown: 'repeat' })
    const edition = () => editionById(it.app.db, id)
    return { it, id, server, send, edition }
  }

  const spread = (count: number) =>
    Array.from({ length: count }, (_, index) => `reader${index}@domain${index % 7}.example`)

  test('that every domain refuses for our sake is paused, with nobody to blame; the editors are called once, and it goes on', async () => {
    let wrong = true
    const { it, id, server, send, edition } = await sendTo(spread(60), (stage) =>
      wrong && stage === 'dot' ? '550 5.7.1 you are on our blocklist' : undefined,
    )
    const report = await send()
    expect(report).toMatchObject({ finished: false, over: true })
    expect(report.stopped && describeReason(report.stopped)).toContain('on our blocklist')
    expect(inWords(await edition())).toMatchObject({
      status: 'paused',
      reason: expect.stringMatching(/refusals in a row that are about us/),
    })
    expect(report.counts).toMatchObject({ refused: 0, sending: 0, accepted: 0 })
    const tries = await it.app.db.selectFrom('deliveries').select('attempts').where('status', '=', 'queued').execute()
    expect(new Set(tries.map(({ attempts }) => attempts))).toEqual(new Set([0]))
    const suppressed = await it.app.db
      .selectFrom('subscribers')
      .select('id')
      .where('suppressedAt', 'is not', null)
      .execute()
    expect(suppressed).toEqual([])
    expect(await noticesOf(it.app.db, id)).toHaveLength(1)
    expect((await editionHistory(it.app.db, id)).at(-1)).toMatchObject({
      who: 'system',
      what: expect.stringMatching(/^Paused: 1\d refusals/),
    })
    wrong = false
    await resume(it.app, id, 'Ada')
    await send()
    it.clock.advance(15 * minute)
    if ((await edition())?.status === 'sending') await send()
    expect(await edition()).toMatchObject({ status: 'sent' })
    expect(new Set(server.accepted.map(({ to }) => to)).size).toBe(60)
    expect(server.accepted).toHaveLength(60)
  })

  test('that one domain refuses for its own policy reaches everybody else', async () => {
    const company = Array.from({ length: 30 }, (_, index) => `worker${index}@company.example`)
    const { it, id, server, send, edition } = await sendTo([...company, ...spread(40)], (stage, { to }) =>
      stage === 'RCPT' && server && to.endsWith('@company.example') ? '550 5.7.1 no newsletters at work' : undefined,
    )
    expect(await send()).toMatchObject({ stopped: null, counts: { accepted: 40, deferred: 30, refused: 0 } })
    expect(await edition()).toMatchObject({ status: 'sending' })
    expect(await noticesOf(it.app.db, id)).toEqual([])
    expect(await countDeliveries(it.app.db, id)).toMatchObject({ queued: 0 })
  })

  test('that is for three people and refused for our sake by all is paused at the end of the pass', async () => {
    const { send, edition } = await sendTo(spread(3), (stage) => (stage === 'MAIL' ? '550 5.7.1 go away' : undefined))
    expect(await send()).toMatchObject({ over: true, counts: { queued: 3 } })
    expect(inWords(await edition())).toMatchObject({
      status: 'paused',
      reason: expect.stringContaining('all 3 answers are about us'),
    })
  })
})
