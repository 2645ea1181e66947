import { afterEach, expect, test } from 'vitest'
import { startFeedHost } from '../../support/feeds.ts'
import { jobText, makeHome } from '../../support/home.ts'
import { startRelay } from '../../support/smtp/relay.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'

const sentences = {
  Harbour: 'The council has voted on the tram again, and the bridge waits. ',
  Theatre: 'Two actors left their company today, so its new play opens late. ',
}

/** A feed whose articles are long, with other words than those of the other feed. */
function longFeed(name: keyof typeof sentences, articles: number, paragraphs: number): string {
  const text = `<p>${sentences[name].repeat(16)}</p>`.repeat(paragraphs)
  const items = Array.from({ length: articles }, (_, index) => {
    const link = `https://magazine.example/${name}-${index}`
    const date = new Date(Date.UTC(2026, 10, 27) - index * 3_600_000).toUTCString()
    return `<item><title>${name} ${index} of ${index * index * 7}</title><link>${link}</link><guid>${link}</guid><pubDate>${date}</pubDate><content:encoded><![CDATA[${text}]]></content:encoded></item>`
  })
  return `<rss version="2.0" ${space}><channel><title>M</title>${items.join('')}</channel></rss>`
}

/** A digest that prints such articles whole, in two sections. */
async function home(articles: number, paragraphs: number) {
  const [host, relay] = [await startFeedHost(), await startRelay()]
  host.answer('/latest.xml', longFeed('Harbour', articles, paragraphs))
  host.answer('/more.xml', longFeed('Theatre', articles, paragraphs))
  const it = makeHome({ feeds: host.url, allow: [new URL(host.url).host], relayPort: relay.port })
  closing.push(host.close, relay.close, it.remove)
  it.write(
    'jobs/weekly.yml',
    jobText([
      `name: latest, title: Latest, layout: latest, feeds: [${host.url}/latest.xml], maximum: 100, body: full`,
      `name: more, title: More, layout: latest, feeds: [${host.url}/more.xml], maximum: 100, body: full`,
    ]),
  )
  await it.lastword('subscribers', 'import', it.write('people.csv', 'email\nann@readers.example\n'))
  return { it, relay }
}

test('many whole articles make an email that Gmail clips: dry run, run and show say so, and it goes out', async () => {
  const { it, relay } = await home(6, 12)
  const warning = /warning: the email has 1\d\d KB; Gmail shows the first 102 KB/
  expect((await it.lastword('run', 'weekly', '--dry-run')).stderr).toMatch(warning)
  expect(await it.lastword('run', 'weekly')).toMatchObject({ code: 0, stderr: expect.stringMatching(warning) })
  expect((await it.lastword('edition', 'show', 'weekly')).stdout).toMatch(warning)
  expect(relay.accepted).toHaveLength(1)
}, 60_000)

test('an email of more than a megabyte is held, and only --anyway sends it', async () => {
  const { it, relay } = await home(80, 30)
  const reason = /the email has [1-9]\.\d MB, and no more than 1 MB is sent: choose fewer articles/
  expect((await it.lastword('run', 'weekly', '--dry-run')).stderr).toMatch(reason)
  expect(await it.lastword('run', 'weekly')).toMatchObject({ stdout: expect.stringMatching(reason) })
  expect(await it.lastword('edition', 'approve', 'weekly')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/--anyway/),
  })
  expect(relay.accepted).toEqual([])
  expect(await it.lastword('edition', 'approve', 'weekly', '--anyway')).toMatchObject({ code: 0 })
  expect(await it.lastword('edition', 'send', 'weekly')).toMatchObject({ code: 0 })
  expect(relay.accepted).toHaveLength(1)
}, 60_000)
