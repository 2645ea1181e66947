import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { refreshFeeds } from '../../../src/feeds/refresh.ts'
import type { Fetcher } from '../../../src/http/fetcher.ts'
import { feedByUrl } from '../../../src/store/feeds/feeds.ts'
import { lastRejections } from '../../../src/store/feeds/rejections.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { feedHistory } from '../../support/history.ts'
import { type Item, openWeeks, type Weeks, weekFeed } from '../../support/weeks.ts'

let weeks: Weeks
afterEach(() => weeks.close())

const items: Item[] = ['Ferry', 'Pool', 'Wall', 'Tram', 'Park', 'Library'].map((name) => ({
  title: `${name}: what the committee decided on Tuesday`,
  link: `https://quay.example/${name}`,
  guid: `quay-${name}`,
}))
const whole = weekFeed(items)

onBothEngines('a feed server', (freshUrl) => {
  const titles = async () => {
    const rows = await weeks.it.app.db.selectFrom('articles').select('title').execute()
    return rows.map(({ title }) => title)
  }

  test.each<[string, string]>([
    ['in the middle of an entry', whole.slice(0, whole.indexOf('guid>quay-Tram'))],
    ['in a tag', whole.slice(0, whole.indexOf('title>Park') + 3)],
    ['between two entries', whole.slice(0, whole.indexOf('<item><title>Tram'))],
    ['before the end of the channel', whole.slice(0, whole.indexOf('</channel>'))],
  ])('that cuts the feed off %s is asked for all of it the next time', async (_, part) => {
    weeks = await openWeeks(await freshUrl())
    weeks.show((_request, response) => response.setHeader('etag', '"v1"').write(part, () => response.end()))
    await weeks.fetch()
    const kept = (await titles()).length
    expect(kept).toBe(part.split('</item>').length - 1)
    expect(await feedByUrl(weeks.it.app.db, weeks.url)).toMatchObject({ etag: null, lastModified: null })
    weeks.show((request, response) => {
      if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end()
      else response.setHeader('etag', '"v1"').end(whole)
    })
    weeks.advance(1)
    await weeks.fetch()
    expect(await titles()).toHaveLength(items.length)
    expect(await feedByUrl(weeks.it.app.db, weeks.url)).toMatchObject({ etag: '"v1"' })
  })

  test('that breaks the transfer off, by its length or within a chunk, keeps the validators of the last whole read', async () => {
    weeks = await openWeeks(await freshUrl())
    weeks.show((_, response) => void response.setHeader('etag', '"v0"').end(whole))
    await weeks.fetch()
    for (const headers of [{ 'content-length': '100000' }, { 'transfer-encoding': 'chunked' }]) {
      weeks.show((_, response) => {
        response.writeHead(200, { ...headers, etag: '"v1"' }).write(whole.slice(0, 300), () => response.destroy())
      })
      weeks.advance(1)
      expect(await weeks.fetch()).toMatchObject([{ kind: 'failed' }])
      expect(await feedByUrl(weeks.it.app.db, weeks.url)).toMatchObject({ etag: '"v0"' })
    }
  })

  test.each(['aws-chunked', 'utf-8', 'none', 'gzip'])('that says %s over plain bytes is read', async (coding) => {
    weeks = await openWeeks(await freshUrl())
    weeks.show((_, response) => void response.setHeader('content-encoding', coding).end(whole))
    expect((await weeks.edition()).chosen).toHaveLength(items.length)
  })

  test('with links to private networks or with a password has those entries rejected, with the reason', async () => {
    weeks = await openWeeks(await freshUrl())
    const links = [
      'http://localhost:4000/2026/draft',
      'http://10.0.0.7/a',
      'http://[::1]/a',
      'http://3232235777/a',
      'http://wordpress/a',
      'https://cms.internal/a',
      'https://editor:secret@quay.example/a',
      'https://bank.example@reels.example/a',
      'https://www.google.com/url?url=http://10.0.0.2/a',
    ]
    const own = { title: 'On the server of the feed', link: `${weeks.host.url}/own` }
    weeks.show(
      weekFeed([...links.map((link, index) => ({ title: `Entry ${index}`, link })), own, ...items.slice(0, 1)]),
    )
    expect((await weeks.edition()).chosen).toEqual([items[0]?.title, own.title])
    const rejected = await lastRejections(weeks.it.app.db, 20)
    const reasons = Object.fromEntries(rejected.map(({ title, reason }) => [title, describeReason(reason)]))
    const local = 'its link leads to a private network, or to the reader’s own machine'
    const password = 'its link holds a user name or a password'
    const expected = [local, local, local, local, local, local, password, password, local]
    expect(reasons).toEqual(Object.fromEntries(expected.map((reason, index) => [`Entry ${index}`, reason])))
  })

  test('of alerts links to a redirector, and readers get its target', async () => {
    weeks = await openWeeks(await freshUrl())
    const target = 'https://ledger.example/tides?year=2026'
    const through = encodeURIComponent(target)
    const links = {
      google: `https://www.google.com/url?rct=j&sa=t&url=${through}&ct=ga&usg=AOv`,
      bing: `http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&url=${through}1&c=1`,
      facebook: `https://l.facebook.com/l.php?u=${through}2&h=AT0`,
      tumblr: `https://t.umblr.com/redirect?z=${through}3&t=YzE`,
      twice: `https://www.google.com/url?url=${encodeURIComponent(`https://l.facebook.com/l.php?u=${through}4`)}`,
      script: 'https://www.google.com/url?url=javascript:alert(1)',
      stranger: `https://other.example/url?url=${through}5`,
    }
    weeks.show(weekFeed(Object.entries(links).map(([title, link]) => ({ title, link, guid: `tag:${title}` }))))
    await refreshFeeds(weeks.it.app, [weeks.url])
    const rows = await weeks.it.app.db.selectFrom('articles').select(['title', 'url']).execute()
    expect(Object.fromEntries(rows.map(({ title, url }) => [title, url]))).toEqual({
      google: target,
      bing: `${target}1`,
      facebook: `${target}2`,
      tumblr: `${target}3`,
      twice: `${target}4`,
      script: links.script,
      stranger: links.stranger,
    })
  })

  test('that moves permanently from https to http is followed, and asked at its https address again', async () => {
    weeks = await openWeeks(await freshUrl())
    const { app } = weeks.it
    const url = 'https://quay.example/feed'
    const movedTo = 'http://quay.example/feed'
    const got = { kind: 'ok' as const, url: movedTo, movedTo, bytes: Buffer.from(whole), contentType: null }
    const rest = { etag: null, lastModified: null, maxAge: null, links: '' }
    const asked: string[] = []
    const get: Fetcher['get'] = async (address) => {
      asked.push(address)
      return { ...got, ...rest }
    }
    for (let round = 0; round < 2; round++) await refreshFeeds({ ...app, fetcher: { ...app.fetcher, get } }, [url])
    expect(asked).toEqual([url, url])
    expect(await feedByUrl(app.db, url)).toMatchObject({ address: null })
    expect(await titles()).toHaveLength(items.length)
    expect((await feedHistory(app.db)).map(({ what }) => what)).toEqual([
      `Says that it moved to ${movedTo}, without TLS: we fetch it at ${url} as before`,
    ])
  })
})
