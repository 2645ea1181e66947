import { simpleParser } from 'mailparser'
import { afterEach, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import { acceptCorrection } from '../../src/editions/corrections/decide.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { seal } from '../../src/editions/seal.ts'
import { refreshAndEnrich } from '../../src/pipeline/refresh-and-enrich.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { waitingCorrections } from '../../src/store/corrections/corrections.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import { day } from '../../src/time/clock.ts'
import { webApp } from '../../src/web/server.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
import { rss, startFeedHost } from '../support/feeds.ts'
import { startRelay } from '../support/smtp/relay.ts'
import { openWorld, subscribe, type World } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('a headline that changes after sending is corrected in the next edition, once, and noted in the archive', async () => {
  const [host, relay, { url, remove }] = [await startFeedHost(), await startRelay(), sqliteUrl()]
  const sections = `\n  - { name: latest, title: Latest, layout: latest, feeds: ['${host.url}/feed'], maximum: 5 }`
  const feeds = { allow: [`127.0.0.1:${host.port}`] }
  const world = await openWorld({ storeUrl: url, relayPort: relay.port, job: { sections }, feeds })
  closing.push(remove, host.close, relay.close, world.close)
  await subscribe(world, 2)
  const items = (...titles: string[]) => titles.map((title, index) => item(host.url, index + 1, title))
  const publish = (titles: string[]) => host.answer('/feed', rss([], { channel: items(...titles).join('') }))

  publish(['Council opens its books', 'Trams return'])
  const first = await send(world)
  const sealed = await variantsOf(world.app.db, first)
  const news = ['Council opens its books', 'Council refuses to open its books', 'Council opens half its books']
  for (const title of news.slice(0, 2)) {
    publish([title, 'Trams return'])
    await refreshAndEnrich(world.app, world.digest)
    await refreshAndEnrich(world.app, world.digest)
  }
  const [proposed, ...others] = await waitingCorrections(world.app.db)
  expect([proposed?.found, others]).toEqual([news[1], []])
  await acceptCorrection(world.app, proposed?.id ?? '', 'Mira', 'The council has refused. {{lead}} <b>Sorry</b>')

  publish([news[1] ?? '', 'Trams return', 'Third', 'Fourth'])
  await send(world)
  publish([news[1] ?? '', 'Trams return', 'Third', 'Fourth', 'Fifth', 'Sixth'])
  await send(world)
  const mails = await Promise.all(relay.accepted.map(({ raw }) => simpleParser(raw)))
  const corrected = mails.map(({ text = '', html }) => [
    text
      .replace(/\s+/g, ' ')
      .split('We wrote: “Council opens its books” The council has refused. {{lead}} <b>Sorry</b>').length - 1,
    String(html).split('The council has refused. {{lead}} &lt;b&gt;Sorry&lt;/b&gt;').length - 1,
  ])
  expect(corrected).toEqual([
    [0, 0],
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
    [0, 0],
  ])
  expect(mails.map(({ text }) => text?.includes('refuses'))).not.toContain(true)

  const html = await (await webApp(world.app).request(`/editions/${first}`)).text()
  const page = html.replace(/<\/?bdi>/g, '')
  expect(page).toContain('We wrote: “Council opens its books”. The council has refused.')
  expect(await variantsOf(world.app.db, first)).toEqual(sealed)
})

/** Asks the feed, makes the edition and sends it to everybody, as `lastword run` does. Returns its id. */
async function send(world: World): Promise<string> {
  const { app, digest, clock } = world
  clock.advance(7 * day)
  await refreshAndEnrich(app, digest)
  const composed = await compose(app, digest, clock.now())
  const { id } = await seal(app, composed?.id ?? 'none', digest)
  await approve(app, id, 'Mira')
  const sender = await openSender(app)
  await sendEdition(app, sender, id, { unknown: 'repeat' }).finally(() => sender.close())
  return id
}

function item(site: string, number: number, title: string): string {
  return `<item><title>${title}</title><link>${site}/${number}</link><guid>${number}</guid></item>`
}
