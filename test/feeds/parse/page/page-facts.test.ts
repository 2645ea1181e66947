import { expect, test } from 'vitest'
import { readPageFacts } from '../../../../src/feeds/parse/page/page-facts.ts'

const url = 'https://site.example/news/one'
const read = (head: string, body = '') => readPageFacts(`<html><head>${head}</head><body>${body}</body></html>`, url)
const nothing = { summary: '', author: '', image: null, canonical: null }
const ld = (data: unknown) => `<script type="application/ld+json">${JSON.stringify(data)}</script>`

test('Open Graph gives summary and picture, with its size and words, and the address is made whole', () => {
  const head = `<meta property="og:description" content="The ferry &amp; the quay are back."/>
    <meta property="og:image" content="/pictures/ferry.jpg"><meta property="og:image:width" content="1200">
    <meta property="og:image:height" content="630"><meta property="og:image:alt" content="The ferry">
    <link rel="canonical" href="/news/one?a=1&amp;b=2"><meta name="author" content="Mira Vance">`
  expect(read(head)).toEqual({
    summary: 'The ferry & the quay are back.',
    author: 'Mira Vance',
    image: { url: 'https://site.example/pictures/ferry.jpg', width: 1200, height: 630, alt: 'The ferry' },
    canonical: 'https://site.example/news/one?a=1&b=2',
  })
})

test('structured data of an article is read, alone, in a list or in a graph, in the body too', () => {
  const article = {
    '@type': ['NewsArticle'],
    description: 'What happened.',
    author: [{ '@type': 'Person', name: 'Mira Vance' }, 'Benjamin Li'],
    image: [{ url: 'https://site.example/a.jpg' }],
  }
  const expected = {
    summary: 'What happened.',
    author: 'Mira Vance, Benjamin Li',
    image: { url: 'https://site.example/a.jpg', width: null, height: null, alt: '' },
    canonical: null,
  }
  for (const data of [article, [article], { '@graph': [{ '@type': 'WebSite', description: 'no' }, article] }]) {
    expect(read(ld(data))).toEqual(expected)
    expect(read('', ld(data))).toEqual(expected)
  }
})

test('the plain meta elements stand in where there is nothing better', () => {
  const head =
    '<meta name=description content="Plain words."><meta name=twitter:image content=https://site.example/t.png>'
  expect(read(head)).toEqual({
    ...nothing,
    summary: 'Plain words.',
    image: { url: 'https://site.example/t.png', width: null, height: null, alt: '' },
  })
})

test('hostile, broken and empty pages give nothing, or text', () => {
  const hostile = `<meta property=og:image content="javascript:alert(1)"><meta property=og:url content="data:text/html,x">
    <meta property=article:author content=https://facebook.example/mira>`
  expect(read(hostile)).toEqual(nothing)
  expect(
    read('<meta property=og:description content="&lt;script&gt;alert(1)&lt;/script&gt;Words &lt;b&gt;here&lt;/b&gt;">')
      .summary,
  ).toBe('Words here')
  expect(read('<script type="application/ld+json">{"@type":"Article", nonsense</script>')).toEqual(nothing)
  expect(read(ld({ '@type': 'Article', author: null, image: 7, description: ['x'] }))).toEqual(nothing)
  expect(read(`<script type="application/ld+json">${'['.repeat(200_000)}`)).toEqual(nothing)
  expect(readPageFacts('', url)).toEqual(nothing)
})

test('what readers wrote in the body is not the page speaking', () => {
  expect(
    read('', '<meta property="og:description" content="A comment"><link rel=canonical href=https://spam.example/>'),
  ).toEqual(nothing)
})

test('the last tag of a page counts if it is whole, and not if the page is cut off in it', () => {
  const link = '<link rel="canonical" href="/news/two">'
  expect(readPageFacts(link, url).canonical).toBe('https://site.example/news/two')
  expect(readPageFacts(link.slice(0, -1), url).canonical).toBeNull()
  expect(readPageFacts('<meta name="author" content="Mira Vance"><title>not closed', url).author).toBe('Mira Vance')
})
