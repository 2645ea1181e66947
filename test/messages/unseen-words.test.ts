import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { parseInThisThread } from '../../src/feeds/parse/parse-feed.ts'
import { toView } from '../../src/messages/edition-view.ts'
import type { NewArticle, WholeArticle } from '../../src/store/articles/article.ts'
import { hasVisibleText } from '../../src/text/characters.ts'
import { render } from './editions.ts'

const publication = { name: 'Harbour', site: 'https://harbour.example', contact: 'a@harbour.example', address: 'Quay' }
const config = configSchema.parse({ publication })
const at = '2026-11-27T07:00:00.000Z'

const reference = (text: string) => [...text].map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join('')

async function read(words: string[]): Promise<NewArticle[]> {
  const items = words
    .map(reference)
    .map(
      (text, index) =>
        `<item><title>${text}</title><link>https://harbour.example/${index}</link><description>${text}</description><author>${text}</author></item>`,
    )
  const feed = `<rss version="2.0"><channel><title>Quay</title>${items.join('')}</channel></rss>`
  const parsed = await parseInThisThread(Buffer.from(feed), {
    url: 'https://harbour.example/feed.xml',
    contentType: 'application/rss+xml',
    needsBodies: false,
  })
  if (!('articles' in parsed)) throw new Error('not a feed')
  return parsed.articles
}

function viewOf(articles: Partial<WholeArticle>[]) {
  const digest = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const [section] = digest.sections
  if (!section) throw new Error('no section')
  const whole = (article: Partial<WholeArticle>, index: number) =>
    ({ id: `${index}`, source: 'Quay', body: null, publishedAt: null, ...article }) as WholeArticle
  const items = articles.map((one, index) => ({ kind: 'article' as const, article: whole(one, index) }))
  const edition = { ...blankEdition('secret', digest, at, at), number: 2 }
  const sections = [{ section: { ...section, layout: 'latest' as const }, items }]
  return toView({ edition, digest, sections, corrections: [], slot: '~' }, config)
}

/** Every code point of the first three planes that nobody sees, pairs of those, and every 101st of all. */
function strangeWords(): string[] {
  const allowed = (code: number) => code > 0x9f && (code < 0xd800 || code > 0xdfff) && (code & 0xfffe) !== 0xfffe
  const all = Array.from({ length: 0x30000 }, (_, code) => code).filter(allowed)
  const unseen = all.filter((code) =>
    /[\p{Cf}\p{Default_Ignorable_Code_Point}\s\u2800]/u.test(String.fromCodePoint(code)),
  )
  const some = all.filter((_, index) => index % 101 === 0)
  const one = [...unseen, ...some].map((code) => String.fromCodePoint(code))
  const pairs = unseen.map((code, index) => String.fromCodePoint(code, unseen[(index * 7 + 3) % unseen.length] ?? code))
  return [...one, ...pairs, '\u2066\u2069', '\u202a', '\u0600', '\u202e\u0601\u2069']
}

describe('an entry whose title shows nothing', () => {
  test.each(['\u2066\u2069', '\u202a', '\u3164', '\u200d', '\ufe0f', '\u115f\u1160', '\u2800', '\u00ad'])(
    '%j is called by other words',
    async (title) => {
      expect(hasVisibleText(title)).toBe(false)
      const [article] = await read([title])
      expect(article).toMatchObject({ title: 'Quay', summary: '', author: '' })
    },
  )

  test('is called by the first words of its summary, also where it was kept before anybody looked', () => {
    const { sections, subject } = viewOf([
      { title: '\u2066\u2069', url: 'https://harbour.example/1', summary: 'Trams are back. They run.', author: '' },
      { title: '\u202a', url: 'https://harbour.example/2', summary: '', author: '' },
    ])
    expect(sections[0]?.lead?.title).toBe('Trams are back.')
    expect(sections[0]?.more[0]?.title).toBe('https://harbour.example/2')
    expect(subject).not.toContain('\u2066')
  })

  test('is not one of those that Unicode counts as format and everybody draws', () => {
    for (const sign of ['\u0600', '\u06dd', '\u070f', '\u{110bd}', 'a', '\u0301', '中', '👍🏽', '\u2066א\u2069'])
      expect(hasVisibleText(sign)).toBe(true)
  })
})

test('whatever code points a feed writes for titles, authors and summaries, the template is not blamed', async () => {
  const words = strangeWords()
  expect(words.length).toBeGreaterThan(2000)
  const articles = await read(words)
  expect(articles.length).toBe(words.length)
  expect(articles.filter(({ title }) => !hasVisibleText(title))).toEqual([])
  expect(
    articles.filter(({ author, summary }) => [author, summary].some((one) => one && !hasVisibleText(one))),
  ).toEqual([])
  for (let start = 0; start < articles.length; start += 400)
    expect((await render(viewOf(articles.slice(start, start + 400) as Partial<WholeArticle>[]))).problems).toEqual([])
}, 60_000)
