import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseFeed } from '../../../src/feeds/parse/parse-feed.ts'
import { canonicalAddress } from '../../../src/store/articles/canonical-address.ts'

const corpus = '../shared/corpora/feeds'
const present = existsSync(corpus)
if (!present) console.warn(`${corpus} is missing: the feeds of others are not read in this run`)

describe.skipIf(!present)('feeds that nobody here wrote', () => {
  const files = present ? readdirSync(corpus).filter((file) => !file.endsWith('.expected.json')) : []

  test.each(files)('%s: the expected count, absolute links, dates and titles', async (file) => {
    const path = `${corpus}/${file}`
    const expected: Expected = JSON.parse(readFileSync(`${path}.expected.json`, 'utf8'))
    const feed = await parseFeed(readFileSync(path), { url: pathToFileURL(path).href, contentType: null })
    if ('failed' in feed) throw new Error(feed.failed)
    const seen = feed.articles.length + feed.rejected.length
    if (expected.wellFormed !== false) expect(seen).toBe(expected.count) // the rest are gzip files, which feedparser leaves alone
    expect(feed.articles.filter(({ url }) => !/^https?:\/\//.test(url))).toEqual([])
    expect(new Set(feed.articles.map(({ identity }) => identity)).size).toBe(feed.articles.length)
    const local = feed.rejected.flatMap(({ reason, guid }) => (reason.code === 'link-not-public' ? [guid] : []))
    for (const item of expected.items.filter(({ id, link }) => id && link && !local.includes(id))) {
      const article = feed.articles.find(({ identity }) =>
        [item.id, canonicalAddress(item.id ?? '')].includes(identity),
      )
      expect(secondOf(article?.publishedAt)).toBe(secondOf(item.published))
      if (item.title) expect(article?.title).not.toBe('')
    }
  })
})

function secondOf(date: string | null | undefined): number | null {
  return date ? Math.floor(Date.parse(date) / 1000) : null
}

type Expected = {
  count: number
  wellFormed?: boolean
  items: { id: string | null; title: string | null; link: string | null; published: string | null }[]
}
