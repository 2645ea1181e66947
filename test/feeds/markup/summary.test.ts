import { expect, test } from 'vitest'
import { summaryText } from '../../../src/feeds/markup/summary.ts'
import { parseInThisThread } from '../../../src/feeds/parse/parse-feed.ts'

const title = 'Why the crane stands still'
const summary = (value: string, said = { title, author: 'Mira Vance' }) => summaryText({ value, kind: 'html' }, said)

test.each([
  ['<h1>Why the crane stands still</h1><p>A bolt broke.</p>', 'A bolt broke.'],
  ['<p><b>WHY THE CRANE STANDS STILL!</b></p><p>A bolt broke.</p>', 'A bolt broke.'],
  ['Why the crane stands still. A bolt broke.', 'A bolt broke.'],
  ['Why the crane stands still – A bolt broke.', 'A bolt broke.'],
  ['Why the crane stands still in the rain.', 'Why the crane stands still in the rain.'],
  ['Why the crane stands still: nobody knows.', 'Why the crane stands still: nobody knows.'],
  ['<p>By Mira Vance</p><p>A bolt broke.</p>', 'A bolt broke.'],
  ['<h2>By the pier</h2><p>A bolt broke.</p>', 'By the pier: A bolt broke.'],
  ['<h2>What broke?</h2><p>A bolt.</p>', 'What broke? A bolt.'],
  ['<b>Why the crane stands still</b><br>A bolt broke.', 'A bolt broke.'],
  ['<h2>Contents</h2><ul><li>One</li><li>Two</li></ul><p>A bolt broke.</p>', 'A bolt broke.'],
  ['<p>Article URL: https://x.example/</p><p>Points: 3</p><p># Comments: 1</p>', ''],
  ['<p>Table of Contents</p><p>A bolt broke.</p>', 'A bolt broke.'],
  ['<figure><img src="x"><figcaption>Photo: A. B.</figcaption></figure><p>A bolt broke.</p>', 'A bolt broke.'],
  ['<figure><img src="x"><figcaption>The crane.</figcaption></figure>', 'The crane.'],
  ['<ol><li>First the bolt.</li><li>Then the rope.</li></ol>', '1. First the bolt. 2. Then the rope.'],
])('%s', (given, expected) => {
  expect(summary(given)).toBe(expected)
})

test('a cut between the numbers of a list leaves no number at its end', () => {
  const items = Array.from({ length: 40 }, (_, index) => `<li>The bolt ${index} of the crane is in its place.</li>`)
  expect(summary(`<ol>${items.join('')}</ol>`)).toMatch(/place\.$/)
})

async function articles(entry: string) {
  const rss = `<rss version="2.0"><channel><title>Pier</title>${entry}</channel></rss>`
  const feed = await parseInThisThread(Buffer.from(entry.startsWith('<feed') ? entry : rss), {
    url: 'https://pier.example/f',
    contentType: null,
    needsBodies: true,
  })
  return 'failed' in feed ? [] : feed.articles
}

test('a piece without a title has its first sentence once', async () => {
  const [plain, quoted] = await articles(
    '<item><guid>1</guid><description>The crane stands still. Nobody knows why.</description></item>' +
      '<item><guid>2</guid><description>She said: "The crane stands still. Nobody knows why."</description></item>',
  )
  expect(plain).toMatchObject({ title: 'The crane stands still.', summary: 'Nobody knows why.' })
  expect(quoted?.summary).toBe('She said: "The crane stands still. Nobody knows why."')
})

test('a whole text does not begin with its title', async () => {
  const text = 'A bolt broke, and no other is in the whole town. '.repeat(9)
  const [article] = await articles(
    `<item><title>${title}</title><guid>1</guid><description><![CDATA[<h2>${title}</h2><p>${text}</p>]]></description></item>`,
  )
  expect(article?.body?.html).toBe(`<p>${text.trim()}</p>`)
})

test('a summary of Atom without a type is HTML if it has markup, else text', async () => {
  const entry = (summary: string) =>
    `<entry><id>${summary.length}</id><title>A</title><updated>2026-11-26T12:00:00Z</updated><summary>${summary}</summary></entry>`
  const found = await articles(
    `<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>P</title>${entry('&lt;p&gt;A &lt;b&gt;bolt&lt;/b&gt; broke.&lt;/p&gt;')}${entry('Write &lt;p&gt; before it, x &lt; y.')}</feed>`,
  )
  expect(found.map(({ summary }) => summary)).toEqual(['A bolt broke.', 'Write <p> before it, x < y.'])
})

test('an entry whose summary says nothing has that of its text', async () => {
  const [article] = await articles(
    '<item><title>A</title><guid>1</guid><description>Comments</description><content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/">A bolt broke.</content:encoded></item>',
  )
  expect(article?.summary).toBe('A bolt broke.')
})
