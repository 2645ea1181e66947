import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { latestEditions } from '../../src/store/editions/editions.ts'
import { migrations } from '../../src/store/migrate.ts'
import { webApp } from '../../src/web/server.ts'
import { fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { loadOlderStore } from '../support/databases/older-store.ts'
import { makeHome } from '../support/home.ts'
import { advanceEditions } from '../support/pipeline.ts'
import { startRelay, type TestRelay } from '../support/smtp/relay.ts'
import { openWorld, type World } from '../support/world.ts'
import { editorOf } from '../web/site.ts'

/** The key in the unsubscribe link of the email that the first reader got of edition 1. */
const firstReaderKey = 'agq27dgcib37tdtijig5kmmwu25e3dy5d7wewokfzhjfobqn'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a store that the program of commit ae39bcd made', (_, blankUrl) => {
  async function olderStore(): Promise<string> {
    const url = await blankUrl()
    await loadOlderStore(url, 'ae39bcd')
    return url
  }

  /** An hour after the sender died. */
  async function opened(job: Record<string, string> = {}): Promise<{ it: World; relay: TestRelay; ids: string[] }> {
    const relay = await startRelay()
    closing.push(relay.close)
    const clock = fakeClock('2026-11-27T07:41:00.000Z')
    const it = await openWorld({ storeUrl: await olderStore(), relayPort: relay.port, clock, job })
    closing.push(it.close)
    const ids = (await latestEditions(it.app.db, { limit: 10 })).map(({ id }) => id).reverse()
    return { it, relay, ids }
  }

  test('gets every migration since', async () => {
    const { it } = await opened()
    const later = migrations.map(({ name }) => name).filter((name) => name > '0013-pace')
    expect(it.app.store.migrated).toEqual(later)
  })

  test('counts the seals of its editions as their revisions', async () => {
    const { it } = await opened()
    const editions = await latestEditions(it.app.db, { limit: 10 })
    const seals = await it.app.db
      .selectFrom('variants')
      .select((eb) => ['editionId', eb.fn.countAll<number>().as('seals')])
      .groupBy('editionId')
      .execute()
    const sealsOf = (id: string) => Number(seals.find(({ editionId }) => editionId === id)?.seals ?? 0)
    expect(editions.map(({ id, revision }) => [id, revision])).toEqual(editions.map(({ id }) => [id, sealsOf(id)]))
    expect(editions.map(({ revision }) => revision).some((revision) => revision > 0)).toBe(true)
  })

  test('shows its editions, history, letters, corrections, feeds and subscribers on the command line', async () => {
    const home = makeHome({ environment: { LASTWORD_STORE__URL: await olderStore() } })
    closing.push(home.remove)
    const print = async (...args: string[]) => {
      const { code, stdout, stderr } = await home.lastword(...args)
      expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
      return stdout
    }
    const list = await print('edition', 'list')
    expect(list.match(/weekly \d +\w+/g)).toEqual([
      'weekly 4  sending',
      'weekly 3  held',
      'weekly 2  paused',
      'weekly 1  sent',
    ])
    const sent = await print('edition', 'show', 'weekly:1')
    expect(sent).toMatch(
      /have-your-say 1 {2}Trams at dawn {2}\(Letter from Ada Byron, Northwold.*latest 1 {2}A library/s,
    )
    expect(sent).toMatch(/2026-11-06T06:32:00.000Z {2}Mira: approved/)
    expect(sent).toContain('11 accepted, 1 refused')
    const paused = await print('edition', 'show', 'weekly:2')
    expect(paused).toContain('“Council opens its books”: The council refused.')
    expect(paused).toMatch(/Mira: .*the lead names the wrong bridge.*Mira: resumed.*550 5\.7\.1 blocked/s)
    expect(paused).toContain('5 queued, 4 accepted, 1 deferred')
    expect(await print('edition', 'show', 'weekly:3')).toContain('the choir is to be asked first')
    expect(await print('edition', 'show', 'weekly:4')).toContain('5 queued, 4 accepted, 1 unknown')
    expect(await print('letters', 'list')).toMatch(
      /^[0-9a-f-]{36} {2}weekly {2}2026-11-05 {2}Fewer gulls {2}Dora Finch/,
    )
    expect(await print('letters', 'list', '--printed')).toMatch(/weekly:4 .*More benches.*\n.*weekly:1 .*Trams at dawn/)
    expect(await print('corrections', 'list', '--all')).toMatch(/Trams return to the market.*accepted by Mira/s)
    const feeds = await print('feeds', 'list')
    expect(feeds).toContain('https://feeds.magazine.example/latest.xml')
    expect(feeds).toMatch(/2026-11-16T06:37:00.000Z.*503/)
    expect(feeds).toContain('No address at all')
    const people = await print('subscribers', 'list')
    expect(people.match(/\tactive$/gm)).toHaveLength(10)
    expect(people).toMatch(/reader00011@.*\tleft\n.*reader00012@.*\tsuppressed.*550 5\.1\.1 user unknown/)
    const explain = (path: string) => print('edition', 'explain', `https://magazine.example/${path}`)
    expect(await explain('council-opens-its-books')).toMatch(/^weekly: in edition 1 \(sent\), section latest\n/)
    expect(await explain('pond-to-be-drained')).toMatch(/retracted on 2026-11-16.* by Mira: it was an invention/)
    expect(await explain('new/ferry-to-the-island')).toContain('quarantined since 2026-11-27')
    const [letter = ''] = (await print('letters', 'list')).split(' ')
    expect(await print('edition', 'explain', letter)).toMatch(/^weekly: /)
  })

  test('says why a delivery may not have arrived, and keeps what relays answered', async () => {
    const { it, ids } = await opened()
    const rowsOf = (index: number) =>
      it.app.db
        .selectFrom('deliveries')
        .select(['status', 'reply', 'reason'])
        .where('editionId', '=', ids[index] ?? '')
        .where('exception', 'is not', null)
        .execute()
    const [unknown] = await rowsOf(3)
    expect(unknown).toMatchObject({ status: 'unknown', reply: null })
    expect(unknown?.reason && describeReason(unknown.reason)).toBe('the sender stopped before the relay had answered')
    expect(await rowsOf(0)).toEqual([{ status: 'refused', reply: '550 5.1.1 user unknown', reason: null }])
    expect(await rowsOf(1)).toEqual([{ status: 'deferred', reply: '452 4.2.2 mailbox full', reason: null }])
  })

  test('shows its editions, letters and corrections in the studio, and edition 1 in the archive', async () => {
    const { it, ids } = await opened()
    const { editor, get } = await studio(it)
    const page = async (path: string) => {
      const answer = await editor.get(path)
      expect([path, answer.status]).toEqual([path, 200])
      return await answer.text()
    }
    expect(await page('/studio')).toMatch(/the choir is to be asked first/i)
    const words = [
      'Trams at dawn',
      'the lead names the wrong bridge',
      'the choir is to be asked first',
      'Snow on the pass',
    ]
    for (const [index, id] of ids.entries()) {
      const html = await page(`/studio/editions/${id}`)
      expect(html).toContain(words[index])
      expect(html).toContain('Mira') // in the history of each
      expect(await page(`/studio/editions/${id}/preview`)).toContain('The Weekly')
    }
    expect(await page('/studio/letters')).toContain('Fewer gulls')
    const archived = await get(`/editions/${ids[0]}`)
    expect([archived.status, await archived.text()]).toEqual([200, expect.stringContaining('The council refused.')])
  })

  test('honours the unsubscribe link of an email that was sent then', async () => {
    const { it } = await opened()
    const { post } = await studio(it)
    expect((await post(`/leave/${firstReaderKey}`, 'List-Unsubscribe=One-Click')).status).toBe(200)
    const left = await it.app.db
      .selectFrom('subscriptions')
      .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
      .select('email')
      .where('leftAt', '=', it.clock.now())
      .execute()
    expect(left).toEqual([{ email: address(1) }])
  })

  test.each([
    { unknown: 'repeat', reached: [5, 6, 7, 8, 9, 10], counts: { accepted: 10, unknown: 0 } },
    { unknown: 'hold', reached: [6, 7, 8, 9, 10], counts: { accepted: 9, unknown: 1 } },
  ])('finishes its half-sent edition: everyone else once, and by the rule `$unknown` the one cut off', async (rule) => {
    const { it, relay, ids } = await opened({ unknown: rule.unknown })
    await sendAll(it)
    expect(relay.accepted.map(({ to }) => to).sort()).toEqual(rule.reached.map(address))
    expect(await countDeliveries(it.app.db, ids[3] ?? '')).toMatchObject({ ...rule.counts, queued: 0, sending: 0 })
    expect(await statuses(it)).toEqual(['sent', 'paused', 'held', 'sent'])
  })

  test('resumes its paused edition from the studio, and reaches who has not got it once', async () => {
    const { it, relay, ids } = await opened()
    const { editor } = await studio(it)
    await sendAll(it)
    const before = relay.accepted.length
    const page = `/studio/editions/${ids[1]}`
    const seen = await editor.seen(page, `${page}/resumption`)
    expect((await editor.post(`${page}/resumption`, { seen })).status).toBe(303)
    await sendAll(it)
    expect(
      relay.accepted
        .slice(before)
        .map(({ to }) => to)
        .sort(),
    ).toEqual([2, 6, 7, 8, 9, 10].map(address))
    expect(await countDeliveries(it.app.db, ids[1] ?? '')).toMatchObject({ accepted: 10, queued: 0, deferred: 0 })
    expect(await statuses(it)).toEqual(['sent', 'sent', 'held', 'sent'])
  })
})

const address = (number: number) => `reader${String(number).padStart(5, '0')}@readers.example`

async function studio({ app }: World) {
  const web = webApp(app)
  const get = async (path: string, headers = {}) => web.request(path, { headers })
  const post = async (path: string, body: BodyInit = '', headers = {}) => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    return web.request(path, { method: 'POST', body, headers: { ...form, ...headers } })
  }
  return { get, post, editor: await editorOf({ get, post }, await makeSignInLink(app, 'mira')) }
}

/** Takes every edition as far as it goes by itself. */
async function sendAll({ app }: World): Promise<void> {
  const sender = await openSender(app)
  try {
    await advanceEditions(app, sender)
  } finally {
    await sender.close()
  }
}

/** Of edition 1, 2 and so on. */
async function statuses({ app }: World): Promise<string[]> {
  return (await latestEditions(app.db, { limit: 10 })).map(({ status }) => status).reverse()
}
