import Parser from 'rss-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FeedServer, startFeedServer } from '../../src/demo/feed-server.ts'
import { hour } from '../../src/time/clock.ts'
import { get } from './get.ts'

const now = '2026-11-23T07:00:30.000Z'
const clock = { now: () => now }
let magazine: FeedServer

beforeAll(async () => {
  magazine = await startFeedServer({ clock })
})
afterAll(() => magazine.close())

async function readFeed(url: string) {
  const parser = new Parser({
    customFields: {
      item: [
        ['media:content', 'media'],
        ['media:thumbnail', 'thumbnail'],
        ['author', 'person'],
      ],
    },
  })
  return parser.parseString(await (await fetch(url)).text())
}

describe('the feeds', () => {
  test('hold twelve news articles, four opinion pieces, five focus pieces and three films', async () => {
    const { latest, lastWord, focus, tv } = magazine.feeds
    const feeds = await Promise.all([latest, lastWord, focus, tv].map(readFeed))
    expect(feeds.map(({ items }) => items.length)).toEqual([12, 4, 5, 3])
  })

  test('give every article a title, a standfirst, an author, an identity and a date within the week before now; of focus the page does', async () => {
    for (const [name, url] of Object.entries(magazine.feeds))
      for (const item of (await readFeed(url)).items) {
        expect(item.title).toBeTruthy()
        const page = name === 'focus' ? await (await fetch(item.link ?? '')).text() : ''
        const standfirst = /<meta name="description" content="([^"]*)"/.exec(page)?.[1]
        const author = /<meta name="author" content="([^"]*)"/.exec(page)?.[1]
        expect((item.contentSnippet ?? item.summary ?? '') === '').toBe(name === 'focus')
        expect((standfirst ?? item.contentSnippet ?? item.summary ?? '').length).toBeGreaterThan(40)
        expect(author ?? item.creator ?? item.author).toMatch(/\S+ \S+/)
        expect(item.guid ?? (item as { id?: string }).id).toMatch(/^tag:civicledger\.example,2026:/)
        const age = Date.parse(now) - Date.parse(item.isoDate ?? '')
        expect(age).toBeGreaterThan(0)
        expect(age).toBeLessThan(169 * hour)
      }
  })

  test('give every film an address that works, a length in seconds and a thumbnail', async () => {
    for (const item of (await readFeed(magazine.feeds.tv)).items) {
      expect((await fetch(item.media.$.url)).status).toBe(200)
      expect(Number(item.media.$.duration)).toBeGreaterThan(60)
      expect((await fetch(item.thumbnail.$.url)).status).toBe(200)
    }
  })

  test('keep their identities on another port, so that a restart makes no new articles', async () => {
    const again = await startFeedServer({ clock })
    const [before, after] = await Promise.all([magazine, again].map(({ feeds }) => readFeed(feeds.latest)))
    await again.close()
    expect(after?.items.map(({ guid }) => guid)).toEqual(before?.items.map(({ guid }) => guid))
  })

  test('answer a second request with 304, by ETag and by date, and with 200 when the ETag is another', async () => {
    for (const url of Object.values(magazine.feeds)) {
      const first = await fetch(url)
      const etag = first.headers.get('etag') ?? ''
      const modified = first.headers.get('last-modified') ?? ''
      expect(await statusOf(url, { 'If-None-Match': etag })).toBe(304)
      expect(await statusOf(url, { 'If-None-Match': `"other", W/${etag}` })).toBe(304)
      expect(await statusOf(url, { 'If-Modified-Since': modified })).toBe(304)
      expect(await statusOf(url, { 'If-None-Match': '"other"', 'If-Modified-Since': modified })).toBe(200)
      expect(await statusOf(url, { 'If-Modified-Since': 'Mon, 01 Jan 2024 00:00:00 GMT' })).toBe(200)
    }
  })
})

async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return (await get(url, headers)).status
}

describe('the site', () => {
  test('has no link, picture or feed address that leads nowhere', async () => {
    const waiting = [`${magazine.url}/`, ...Object.values(magazine.feeds)]
    const seen = new Set(waiting)
    for (const url of waiting) {
      const answer = await fetch(url)
      expect(answer.status, url).toBe(200)
      if (!/html|xml/.test(answer.headers.get('content-type') ?? '')) continue
      for (const [, link = ''] of (await answer.text()).matchAll(
        /(?:href|src|url|content)=(?:"|&quot;)([^"#]+?)(?:"|&quot;)/g,
      )) {
        if (!/^(\/|http:\/\/127)/.test(link)) continue
        const next = new URL(link, url).href
        if (!seen.has(next)) waiting.push(next)
        seen.add(next)
      }
    }
    expect(waiting.filter((url) => /\/(news|last-word|focus|tv)\//.test(url))).toHaveLength(24)
    expect(waiting.filter((url) => url.endsWith('.jpg'))).toHaveLength(19)
  })

  test('shows an article with its picture, its byline and what other sites show of it', async () => {
    const page = await (await fetch(`${magazine.url}/last-word/prevention-has-no-ribbon-to-cut`)).text()
    expect(page).toContain('By Dr Siân Prydderch, director of public health, Glanrhos')
    expect(page).toContain('<meta property="og:title" content="Prevention has no ribbon to cut')
    expect(page).toContain(`<meta property="og:image" content="${magazine.url}/pictures/sian-prydderch.jpg">`)
    expect(page).toContain('alt="Portrait of Dr Siân Prydderch"')
  })

  test('answers 404 for what it does not have, also for a way out of its folder', async () => {
    for (const path of ['/news/', '/news/none', '/pictures/none.jpg', '/pictures/..%2fpictures.json', '/feeds/'])
      expect((await fetch(magazine.url + path)).status, path).toBe(404)
  })

  test('allows no script anywhere', async () => {
    for (const path of ['/', '/none', '/feeds/latest.xml'])
      expect((await fetch(magazine.url + path)).headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; img/,
      )
  })
})

test('a taken port is named, with what to do about it', async () => {
  const port = Number(new URL(magazine.url).port)
  await expect(startFeedServer({ clock, port })).rejects.toMatchObject({
    code: 'conflict',
    message: `port ${port} of 127.0.0.1 is taken`,
    hint: expect.stringContaining('another port'),
  })
})
