import { expect, test } from 'vitest'
import { readOpml, writeOpml } from '../../src/feeds/opml.ts'

test('folders are kept, the innermost counts, and whatever is no address is left out with the reason', () => {
  const text = `<?xml version="1.0"?><opml version="1.0"><head><title>x</title></head><body>
    <outline text="A &amp; B"><outline type="rss" text="One" xmlUrl="https://one.example/f?a=1&amp;b=2"/>
      <outline text="Inner"><outline title="Two" xmlUrl="feed://two.example/f"/><outline xmlUrl="javascript:alert(1)" text="Bad"/></outline>
      <outline type="rss" text="Again" xmlUrl="https://one.example/f?a=1&amp;b=2"/></outline>
    <outline text="Top" xmlUrl="https://top.example/"/><outline text="Empty"/></body></opml>`
  expect(readOpml(text)).toEqual({
    feeds: [
      { folder: 'A & B', url: 'https://one.example/f?a=1&b=2', title: 'One' },
      { folder: 'Inner', url: 'http://two.example/f', title: 'Two' },
      { folder: null, url: 'https://top.example/', title: 'Top' },
    ],
    rejected: [
      { what: 'javascript:alert(1)', reason: 'it is not an http or https address' },
      { what: 'Empty', reason: 'it has no address (xmlUrl) and contains nothing' },
    ],
  })
})

test('what is written is read again as it was', () => {
  const feed = { url: 'https://one.example/?a=1&b="2"', title: 'Öne & <two>', siteUrl: 'https://one.example/' }
  const folders = [{ name: 'Last “word”', folders: [], feeds: [{ ...feed, url: 'https://one.example/?a=1&b=2' }] }]
  const text = writeOpml('The Magazine', folders, '2026-11-27T07:00:00.000Z')
  expect(text).toContain('<opml version="2.0">')
  expect(readOpml(text)).toEqual({
    feeds: [{ folder: 'Last “word”', url: 'https://one.example/?a=1&b=2', title: 'Öne & <two>' }],
    rejected: [],
  })
})

test('tags that nobody closed and values without quotes are read, and an entity of the document is not', () => {
  const text = `<!DOCTYPE opml [<!ENTITY a "b">]><opml><body><outline text=News><outline text="&a; &amp; c"
    xmlUrl="https://a.example/"><outline text="Lost">`
  expect(readOpml(text)).toEqual({
    feeds: [{ folder: 'News', url: 'https://a.example/', title: '&a; & c' }],
    rejected: [{ what: 'Lost', reason: 'it has no address (xmlUrl) and contains nothing' }],
  })
})

test('an address in quotation marks and a list without a name are written so that they are read again', () => {
  const feeds = [{ url: 'https://one.example/?a="b"&c=\'d\'', title: '"A" < \'B\'', siteUrl: null }]
  const text = writeOpml('', [{ name: '', folders: [], feeds }], '2026-11-27T07:00:00.000Z')
  expect(readOpml(text)).toEqual({
    feeds: [{ folder: null, url: 'https://one.example/?a="b"&c=\'d\'', title: '"A" < \'B\'' }],
    rejected: [],
  })
})

test.each([
  '',
  '<html><body>hi</body></html>',
  '<opml',
  '{}',
  '<!DOCTYPE o [<!ENTITY a "b">]><x>&a;</x>',
  '<outline>'.repeat(100_000),
  '<opml version="2.0"><body></body></opml>',
])('what is no OPML fails in words: %.30s', (text) => {
  expect(readOpml(text)).toEqual({ failed: expect.stringContaining('it is not OPML') })
})

test('an outline that names no address and holds nothing is named as left out', () => {
  const text = `<opml version="2.0"><body><outline text="News"><outline text="Lost feed" type="rss"/>
<outline text="Found" type="rss" xmlUrl="https://a.example/feed"/></outline><outline type="rss"/></body></opml>`
  expect(readOpml(text)).toEqual({
    feeds: [{ folder: 'News', url: 'https://a.example/feed', title: 'Found' }],
    rejected: [
      { what: 'Lost feed', reason: 'it has no address (xmlUrl) and contains nothing' },
      { what: 'an outline', reason: 'it has no address (xmlUrl) and contains nothing' },
    ],
  })
})
