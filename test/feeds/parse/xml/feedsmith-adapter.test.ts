import { parseFeed } from 'feedsmith'
import { expect, test } from 'vitest'
import { toParsedFeed } from '../../../../src/feeds/parse/article.ts'
import { readSpareFeed } from '../../../../src/feeds/parse/xml/feedsmith-adapter.ts'
import { normalise } from '../../../../src/feeds/parse/xml/normalise.ts'
import { withTexts } from '../../../../src/feeds/parse/xml/placeholders.ts'

/** As parse.ts does where rss-parser refuses a document. */
function readSpare(text: string) {
  const document = normalise(text)
  if ('failed' in document) throw new Error(document.failed)
  const feed = parseFeed(withTexts(document.xml, document.texts)).feed
  return toParsedFeed(readSpareFeed(feed, document), 'https://feeds.example/feed')
}

test('the second parser reads of RSS what the first does: address, people, pictures, film, categories and wishes', () => {
  const names =
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
  const items = `<item><title>A</title><link>a</link><dc:creator>By Mira Vance</dc:creator><category>News</category><category domain="x">Trams</category>
    <media:content url="m.png" medium="image" width="640" height="480"/><media:group><media:content url="v.mp4" medium="video" duration="90"/></media:group></item>
    <item><title>B</title><link>b</link><enclosure url="e.png" type="image/png" length="5"/><pubDate>Fri, 20 Nov 2026 06:00:00 GMT</pubDate></item>
    <item><title>C</title><link>c</link><description>&lt;img src="d.png"> Words.</description></item>`
  const feed = readSpare(
    `<rss version="2.0" ${names} xml:base="https://harbour.example/news/"><channel><title>T</title><sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>${items}</channel></rss>`,
  )
  const at = (path: string) => `https://harbour.example/news/${path}`
  expect(feed.ttl).toBe(43_200)
  expect(feed.articles).toMatchObject([
    {
      url: at('a'),
      author: 'Mira Vance',
      categories: ['News', 'Trams'],
      image: { url: at('m.png'), width: 640, height: 480 },
      video: { url: at('v.mp4'), seconds: 90 },
    },
    { url: at('b'), image: { url: at('e.png') }, publishedAt: '2026-11-20T06:00:00.000Z' },
    { url: at('c'), image: { url: at('d.png') }, summary: 'Words.' },
  ])
})

test('the second parser reads Atom with its bases, its author and its enclosures', () => {
  const entry = `<entry xml:base="sub/"><id>1</id><title type="html">A &amp;amp; B</title><link href="x"/><category term="t" label="Trams"/>
    <link rel="enclosure" type="image/png" href="p.png"/><updated>2026-11-20T06:00:00Z</updated></entry>`
  const feed = readSpare(
    `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://harbour.example/" xml:lang="de"><title>T</title><author><name>Tom Hale</name></author>${entry}</feed>`,
  )
  expect(feed).toMatchObject({ language: 'de', articles: [{ url: 'https://harbour.example/sub/x', title: 'A & B' }] })
  expect(feed.articles[0]).toMatchObject({
    author: 'Tom Hale',
    categories: ['Trams'],
    image: { url: 'https://harbour.example/sub/p.png' },
  })
})

test('the second parser says what is left and what is cut off', () => {
  const document = normalise(`<rss version="2.0"><channel>${'<item><title>A</title></item>'.repeat(5002)}`)
  if ('failed' in document) throw new Error(document.failed)
  expect(readSpareFeed({}, document)).toMatchObject({ left: document.left, cutOff: document.cutOff, entries: [] })
  expect(document.left).toBe(2)
})
