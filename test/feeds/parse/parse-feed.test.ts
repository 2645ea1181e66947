import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ParsedFeed } from '../../../src/feeds/parse/feed.ts'
import { parseFeed } from '../../../src/feeds/parse/parse-feed.ts'

const folder = 'fixtures/feeds'
const context = { url: 'https://feeds.example/feed', contentType: null }

/** A bound for the CPU time of this thread, which other programs do not change: 10 MB of bodies would take 1.5 s on it. */
const maxOwnSeconds = 0.5

describe('every fixture reads as its expected value', () => {
  for (const file of cases(folder)) {
    test(file, async () => {
      expect(await parseFeed(readFileSync(`${folder}/${file}`), context)).toEqual(expectedOf(folder, file))
    })
  }
})

describe('what is not a feed fails in words', () => {
  for (const file of cases(`${folder}/not`)) {
    test(file, async () => {
      expect(await parseFeed(readFileSync(`${folder}/not/${file}`), context)).toEqual(expectedOf(`${folder}/not`, file))
    })
  }
})

describe('with whole texts', () => {
  const bodiesOf = async (text: string) =>
    articlesOf(await parseFeed(Buffer.from(text), { ...context, needsBodies: true })).map(
      ({ body }) => body?.html ?? null,
    )
  const long = 'A sentence of six short words. '.repeat(20).trim()

  test('the longest of what an entry has is its body, and a teaser is none', async () => {
    const items = [
      `<description>Short.</description><content:encoded><![CDATA[<p>The whole.</p>]]></content:encoded>`,
      `<description>&lt;p>${long}&lt;/p></description><content:encoded>Less.</content:encoded>`,
      '<description>A summary alone.</description>',
      '<description>The same.</description><content:encoded>&lt;p>The same.&lt;/p></content:encoded>',
      '',
      '<content:encoded>&lt;p>Short, and &lt;b>all&lt;/b>.&lt;/p></content:encoded>',
    ].map((inside, index) => `<item><title>T</title><link>https://e.example/${index}</link>${inside}</item>`)
    expect(await bodiesOf(rss(items.join('')))).toEqual([
      '<p>The whole.</p>',
      `<p>${long}</p>`,
      null,
      null,
      null,
      '<p>Short, and <b>all</b>.</p>',
    ])
  })

  test('relative links start from the article, or from xml:base where there is one, the innermost first', async () => {
    const content = '<content type="html">&lt;a href="x">x&lt;/a> and more&lt;/p></content>'
    const entry = (base: string, inner: string) =>
      `<entry${base}><id>${base}${inner}</id><title>T</title><link href="https://e.example/a/b"/>${inner}</entry>`
    const based = content.replace('<content', '<content xml:base="deep/"')
    const feed = (base: string, entries: string) => `<feed xmlns="http://www.w3.org/2005/Atom"${base}>${entries}</feed>`
    const target = async (text: string) =>
      (await bodiesOf(text)).map((html) => /href="([^"]*)"/.exec(html ?? '')?.[1] ?? null)
    expect(await target(feed('', entry('', content)))).toEqual(['https://e.example/a/x'])
    const own = entry(' xml:base="https://cdn.example/c/"', content)
    expect(await target(feed('', own))).toEqual(['https://cdn.example/c/x'])
    expect(await target(feed('', entry(' xml:base="https://cdn.example/c/"', based)))).toEqual([
      'https://cdn.example/c/deep/x',
    ])
    expect(await target(feed(' xml:base="https://feed.example/f/"', entry('', content)))).toEqual([
      'https://feed.example/f/x',
    ])
  })

  test('JSON Feed, Atom with markup in it, and plain text have theirs too', async () => {
    const json = {
      items: [
        { id: '1', title: 'J', content_html: '<p onclick="x">J<b>SON</b></p>' },
        { id: '2', content_text: `One.\n\n${long}` },
      ],
    }
    expect(await bodiesOf(JSON.stringify(json))).toEqual(['<p>J<b>SON</b></p>', `<p>One.</p><p>${long}</p>`])
    const xhtml = '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>X<br/>HTML</p></div></content>'
    expect(
      await bodiesOf(
        `<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>T</title>${xhtml}</entry></feed>`,
      ),
    ).toEqual(['<p>X<br>HTML</p>'])
  })

  test('without them nothing is cleaned; with them the newest 200 of a feed are', async () => {
    const item = (index: number) =>
      `<item><link>https://e.example/${index}</link><pubDate>${new Date(Date.UTC(2026, 0, 1) + index * 3_600_000).toUTCString()}</pubDate><content:encoded>Text ${index} &lt;b>whole&lt;/b></content:encoded><description>S</description></item>`
    const feed = rss(Array.from({ length: 230 }, (_, index) => item(index)).join(''))
    const withBodies = await bodiesOf(feed)
    expect(withBodies.filter((body) => body !== null)).toHaveLength(200)
    expect(withBodies[29]).toBeNull()
    expect(withBodies[30]).toBe('<p>Text 30 <b>whole</b></p>')
    expect(articlesOf(await parseFeed(Buffer.from(feed), context)).every((article) => !('body' in article))).toBe(true)
  })

  test('of 10 MB of them do not hold the event loop up', async () => {
    const text = `<![CDATA[${'<p>lorem <a href="/x">ipsum</a></p>'.repeat(1500)}]]>`
    const item = (_: unknown, index: number) =>
      `<item><link>https://e.example/${index}</link><content:encoded>${text}</content:encoded></item>`
    const bytes = Buffer.from(rss(Array.from({ length: 200 }, item).join('')))
    const start = process.threadCpuUsage()
    const result = articlesOf(await parseFeed(bytes, { ...context, needsBodies: true }))
    const { user } = process.threadCpuUsage(start)
    expect(result.every(({ body }) => body?.cut)).toBe(true)
    expect(user / 1e6).toBeLessThan(maxOwnSeconds)
  })
})

test('a feed that is kept packed is read up to 10 MB, and what unpacks to more is refused', async () => {
  const packed = (bytes: number) =>
    gzipSync(`<rss><channel><item><title>Packed</title></item></channel></rss>${' '.repeat(bytes)}`)
  expect(articlesOf(await parseFeed(packed(9_000_000), context))).toMatchObject([{ title: 'Packed' }])
  const failed = 'it cannot be unpacked: more than 10485760 bytes once unpacked'
  expect(await parseFeed(packed(11_000_000), context)).toEqual({ failed })
})

describe('a feed in a file', () => {
  const read = async (text: string, url = 'file:///here/feed.xml') =>
    articlesOf(await parseFeed(Buffer.from(text), { url, contentType: null }))
  const atom = (inside: string) => `<feed xmlns="http://www.w3.org/2005/Atom">${inside}</feed>`

  test('has the same articles wherever the file lies', async () => {
    const items =
      '<item><link>a/1</link></item><item><link>/b</link><title>B</title></item><item><title>C</title></item>'
    const text = `<rss version="2.0"><channel><link>/</link>${items}</channel></rss>`
    expect(await read(text)).toEqual(await read(text, 'file:///elsewhere/copy.xml'))
  })

  test('takes whatever it says of where it is from for the start of relative addresses', async () => {
    const entry = (id: string) => `<entry><id>${id}</id><title>T</title><link href="/a"/></entry>`
    const link = async (text: string) => (await read(text))[0]?.url
    expect(await link(atom(`<link rel="self" href="https://self.example/f"/>${entry('1')}`))).toBe(
      'https://self.example/a',
    )
    expect(await link(atom(`<id>https://id.example/</id>${entry('1')}`))).toBe('https://id.example/a')
    expect(await link(atom(entry('https://entry.example/1')))).toBe('https://entry.example/a')
    expect(await link(atom(entry('tag:tag.example,2026-11-20:1')))).toBe('http://tag.example/a')
  })
})

describe('encodings', () => {
  const declared = (label: string) =>
    `<?xml version="1.0" encoding="${label}"?>${rss('<item><title>Café Žižek</title></item>')}`
  const titleOf = async (bytes: Uint8Array, contentType: string | null = null) =>
    articlesOf(await parseFeed(bytes, { ...context, contentType }))[0]?.title

  test('valid UTF-8 beats a lying declaration', async () => {
    expect(await titleOf(Buffer.from(declared('iso-8859-1')))).toBe('Café Žižek')
    expect(await titleOf(Buffer.from(declared('utf-8')), 'text/xml; charset=iso-8859-1')).toBe('Café Žižek')
  })

  test('a declaration counts where the bytes are no UTF-8', async () => {
    const bytes = Buffer.from(
      declared('windows-1250').replace(/é/g, '\xe9').replace(/Ž/g, '\x8e').replace(/ž/g, '\x9e'),
      'latin1',
    )
    expect(await titleOf(bytes)).toBe('Café Žižek')
    expect(await titleOf(bytes, 'text/xml; charset=utf-8')).toBe('Café Žižek')
  })

  test('a byte order mark beats everything', async () => {
    expect(await titleOf(Buffer.from(`\ufeff${declared('utf-8')}`, 'utf16le'))).toBe('Café Žižek')
    expect(await titleOf(Buffer.from(`\ufeff${declared('iso-8859-1')}`), 'text/xml; charset=koi8-r')).toBe('Café Žižek')
  })

  test('gzip bytes that nobody announced are read', async () => {
    expect(await titleOf(gzipSync(declared('utf-8')))).toBe('Café Žižek')
  })

  test('among UTF-8, bytes that are none are read as Western ones', async () => {
    const bytes = Buffer.concat([
      Buffer.from(rss('<item><title>Café Žižek ').split('</channel>')[0] ?? ''),
      Buffer.from([0x93, 0x63, 0x61, 0x66, 0xe9, 0x94]),
      Buffer.from('</title></item></channel></rss>'),
    ])
    expect(await titleOf(bytes)).toBe('Café Žižek “café”')
  })

  test.each([
    ['cp949', 'euc-kr', [0xc7, 0xd1, 0xb1, 0xb9], '한국'],
    ['cp932', 'shift_jis', [0x93, 0xfa, 0x96, 0x7b], '日本'],
    ['win-1251', 'windows-1251', [0xcd, 0xee, 0xe2, 0xfb, 0xe9], 'Новый'],
    ['gb2312', 'gb18030', [0xd6, 0xd0, 0xce, 0xc4], '中文'],
  ])('%s is another name for %s', async (label, _, title, text) => {
    const [before = '', after = ''] = declared(label).split('Café Žižek')
    expect(await titleOf(Buffer.concat([Buffer.from(before), Buffer.from(title), Buffer.from(after)]))).toBe(text)
  })
})

test('an item without an end tag that a whole item follows is not cut off', async () => {
  const item = (name: string) => `<item><title>${name}</title><link>https://e.example/${name}</link>`
  const read = async (items: string) => {
    const feed = await parseFeed(Buffer.from(`<rss version="2.0"><channel>${items}`), context)
    return [articlesOf(feed).map(({ title }) => title), 'rejected' in feed && feed.rejected]
  }
  expect(await read(`${item('a')}${item('b')}</item>`)).toEqual([['a', 'b'], []])
  expect(await read(`${item('a')}</item>${item('b')}`)).toEqual([
    ['a'],
    [{ reason: { code: 'feed-cut-off' }, title: '' }],
  ])
})

describe('hostile feeds end as a clear failure or a capped result', () => {
  const item = '<item><title>A</title><link>https://e.example/a</link></item>'

  test('200,000 nested tags', async () => {
    const result = await parseFeed(Buffer.from(rss(`${item}<item>${'<a>'.repeat(200_000)}</item>`)), context)
    expect(result).toEqual({ failed: 'tags are nested more than 100 deep' })
  })

  test('200,000 items: the first 5,000, and one rejection that says how many are left', async () => {
    const items = Array.from({ length: 200_000 }, (_, index) => `<item><link>https://e.example/${index}</link></item>`)
    const result = await parseFeed(Buffer.from(rss(items.join(''))), context)
    expect(articlesOf(result)).toHaveLength(5000)
    const reason = { code: 'entries-not-read', count: 195_000, read: 5000 }
    expect(result).toMatchObject({ rejected: [{ reason }], unread: 195_000 })
  })

  test('60 MB of text do not hold the event loop up', async () => {
    const text = '&lt;b>lorem ipsum&lt;/b> '.repeat(2_500_000)
    const bytes = Buffer.from(
      rss(`<item><title>A</title><link>https://e.example/a</link><description>${text}</description></item>`),
    )
    const start = process.threadCpuUsage()
    expect(articlesOf(await parseFeed(bytes, context))[0]?.summary.length).toBeLessThanOrEqual(322)
    const { user } = process.threadCpuUsage(start)
    expect(user / 1e6).toBeLessThan(maxOwnSeconds)
  })

  for (const [name, body] of Object.entries({
    'many <': `<description>${'&lt;'.repeat(20_000)}</description>`,
    'unclosed tags in text': `<description><![CDATA[${'<a "'.repeat(20_000)}]]></description>`,
    'unclosed comments': `<description><![CDATA[${'<!--'.repeat(20_000)}]]></description>`,
    'unclosed pictures': `<content:encoded><![CDATA[${'<img '.repeat(18_000)}]]></content:encoded>`,
    'an author of @': `<author>${'a@'.repeat(40_000)}</author>`,
    'a link of line breaks': `<link>${'\n '.repeat(40_000)}</link>`,
    'a date of spaces': `<pubDate>x${' '.repeat(80_000)}x</pubDate>`,
    'unclosed quotes': `<a b="x"/>${'<a b="'.repeat(12_000)}`,
    'unclosed sections': `<description>${'<![CDATA['.repeat(8000)}</description>`,
    'tags that nobody closed': '<a><b>'.repeat(40),
    'attributes by the thousand': `<a ${'b="c" '.repeat(12_000)}/>`,
    'endless ampersands': `<title>${'&'.repeat(90_000)}</title>`,
  })) {
    test(`${name}: read in linear time`, async () => {
      const start = process.cpuUsage() // of all threads: other programs do not count
      const result = await parseFeed(
        Buffer.from(rss(`<item><title>A</title><link>https://e.example/a</link>${body}</item>`)),
        context,
      )
      const { user } = process.cpuUsage(start)
      expect(articlesOf(result)).toHaveLength(1)
      expect(user / 1e6).toBeLessThan(2) // quadratic takes ten seconds and more
    })
  }

  test('a parser that read something malformed reads the next feed as if nothing had been', async () => {
    const feeds = [
      '<item><title>&nosuch; entity</title></item>',
      item,
      item,
      '<item><title x=&y;>z</title></item>',
      item,
    ]
    const titles = ['&nosuch; entity', 'A', 'A', 'z', 'A']
    const read = async (items: string) => articlesOf(await parseFeed(Buffer.from(rss(items)), context))
    for (const [at, items] of feeds.entries())
      expect((await read(items)).map(({ title }) => title)).toEqual([titles[at]])
    const atOnce = await Promise.all(feeds.map(read)) // and of several at once each reads its own
    expect(atOnce.map(([article]) => article?.title)).toEqual(titles)
  })

  test('many large feeds at once share two threads and all come back', async () => {
    const bytes = Buffer.from(rss(`${item}<!--${' '.repeat(100_000)}-->`))
    const results = await Promise.all(Array.from({ length: 12 }, () => parseFeed(bytes, context)))
    expect(results.map((result) => articlesOf(result).length)).toEqual(Array(12).fill(1))
  })
})

function cases(from: string): string[] {
  return readdirSync(from).filter((file) => file.includes('.') && !file.endsWith('.expected.json'))
}

function expectedOf(from: string, file: string): unknown {
  return JSON.parse(readFileSync(`${from}/${file.replace(/\.\w+$/, '')}.expected.json`, 'utf8'))
}

function rss(items: string): string {
  return `<rss version="2.0"><channel><title>T</title><link>https://e.example/</link>${items}</channel></rss>`
}

function articlesOf(result: ParsedFeed | { failed: string }): ParsedFeed['articles'] {
  if ('failed' in result) throw new Error(result.failed)
  return result.articles
}
