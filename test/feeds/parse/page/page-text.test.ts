import { expect, test } from 'vitest'
import { readInWorker } from '../../../../src/feeds/parse/reader-pool.ts'

const context = { url: 'https://site.example/news/one.html', contentType: 'text/html; charset=utf-8' }
const read = (html: string, seconds?: number) => readInWorker('text', Buffer.from(html), context, seconds)
const words = 'The people who live by the water said that they had waited for it, and that they would wait again. '
const page = (body: string, head = '') => `<html><head>${head}</head><body>${body}</body></html>`
const article = (inside: string) =>
  page(`<article><h1>Ferry</h1>${inside}<p>${words.repeat(4)}</p><p>${words.repeat(4)}</p></article>`)
const nothing = { summary: '', author: '', body: null }

test('links of a page start from its base, and its headline is not a part of the text', async () => {
  const html = article(`<p>Read <a href="two.html">two</a>. ${words.repeat(2)}</p>`).replace(
    '<head>',
    '<head><base href="/deep/">',
  )
  expect(await read(html)).toMatchObject({
    body: {
      html: expect.stringMatching(/^<p>Read <a href="https:\/\/site\.example\/deep\/two\.html">two<\/a>\./),
      cut: false,
    },
    summary: expect.stringMatching(/^Read two\. The people .* again\.$/),
  })
})

test('a name under a headline is an author, an address or a whole sentence is none', async () => {
  const by = async (byline: string) => {
    const text = await read(article(`<p class="byline">${byline}</p>`))
    return 'failed' in text ? text.failed : text.author
  }
  expect(await by('By Mira Vance')).toBe('Mira Vance')
  expect(await by('by: Mira &amp; Ben')).toBe('Mira & Ben')
  expect(await by('https://site.example/people/mira')).toBe('')
  expect(await by(`Written by ${'somebody whom we do not know '.repeat(3)}`)).toBe('')
})

test('a front page, a form to sign in and an empty page are no articles', async () => {
  const teasers = Array.from({ length: 40 }, (_, at) => `<li><a href="/${at}">Headline number ${at}</a></li>`).join('')
  for (const html of [page(`<ul>${teasers}</ul>`), page('<form>Log in <input></form>'), page(''), ''])
    expect(await read(html)).toEqual(nothing)
})

test('tricks of a page end as harmless text', async () => {
  const tricks =
    '<p onclick="alert(1)" style="x">Alder <script>alert(1)</script><a href="javascript:alert(1)">link</a> {{raw}} <mj-raw>x</mj-raw><svg onload=alert(1)></svg></p>'
  const text = await read(article(`${tricks}<iframe srcdoc="<script>alert(1)</script>"></iframe><p>${words}</p>`))
  const html = 'failed' in text ? '' : text.body?.html
  expect(html).toMatch(/^<p>Alder link \{\{raw\}\} x<\/p>/)
  expect(html).not.toMatch(/<(?!\/?p>)/)
})

test('a page beyond the limits is turned down, each with its reason', async () => {
  expect(await read(page('<div>'.repeat(200_000)))).toEqual({ failed: 'its tags are nested more than 500 deep' })
  expect(await read(page(words.repeat(25_000)))).toEqual({ failed: 'it is longer than 2000000 characters' })
  expect(await read(article('<p>x</p>'.repeat(40_000)))).toEqual({
    failed: 'it has more than 60000 tags',
  })
})

test('a page that takes too long is given up, and the next one is read', async () => {
  expect(await read(article(`<p>${words}</p>`.repeat(9000)), 0.001)).toEqual({
    failed: 'reading it takes longer than 0.001 s',
  })
  expect(await read(article(`<p>${words}</p>`))).toMatchObject({ body: { cut: false } })
})
