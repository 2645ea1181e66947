import { expect, test } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { parseInThisThread } from '../../src/feeds/parse/parse-feed.ts'
import { bodyText } from '../../src/messages/body/body-text.ts'
import { toView } from '../../src/messages/edition-view.ts'
import type { WholeArticle } from '../../src/store/articles/article.ts'
import { render } from './editions.ts'

const publication = { name: 'Harbour', site: 'https://harbour.example', contact: 'a@harbour.example', address: 'Quay' }
const config = configSchema.parse({ publication })
const at = '2026-11-27T07:00:00.000Z'
const long =
  'It runs along the old wall to the mill, past the baths, and back by the school and the two bridges. '.repeat(4)

/** The view of an edition with the whole text of the only article of a feed. */
async function viewOf(entry: string) {
  const rss = `<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Quay</title><item>${entry}</item></channel></rss>`
  const feed = await parseInThisThread(Buffer.from(rss), {
    url: 'https://harbour.example/f',
    contentType: null,
    needsBodies: true,
  })
  if ('failed' in feed) throw new Error(feed.failed)
  const digest = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const [section] = digest.sections
  if (!section) throw new Error('no section')
  const article = { id: '1', source: 'Quay', body: null, ...feed.articles[0] } as WholeArticle
  const sections = [
    {
      section: { ...section, layout: 'latest' as const, body: 'full' as const },
      items: [{ kind: 'article' as const, article }],
    },
  ]
  const edition = { ...blankEdition('secret', digest, at, at), number: 2 }
  return toView({ edition, digest, sections, corrections: [], slot: '~' }, config)
}

const content = (html: string) => `<content:encoded><![CDATA[${html}]]></content:encoded>`

test.each([
  ['a caption', `<title>Line</title>${content(`<figure><figcaption>Photo: A.</figcaption></figure><p>${long}</p>`)}`],
  ['its title as a heading', `<title>A line</title>${content(`<h2>A line</h2><p>${long}</p>`)}`],
  ['its first sentence as a title', content(`<p>A new line opens. ${long}</p>`)],
  ['a heading', `<title>Line</title>${content(`<h2>The way</h2><p>${long}</p>`)}`],
  ['a list', `<title>Line</title>${content(`<ol><li>First.</li></ol><p>${long}</p>`)}`],
])('a whole text that begins with %s has no summary of its own start above it', async (_, entry) => {
  const view = await viewOf(entry)
  expect(view.sections[0]?.lead?.summary).toBe('')
  expect(view.sections[0]?.lead?.body?.html).toContain('It runs along')
})

test('a summary of other words stands above a whole text', async () => {
  const view = await viewOf(`<title>Line</title><description>Who pays?</description>${content(`<p>${long}</p>`)}`)
  expect(view.sections[0]?.lead?.summary).toBe('Who pays?')
})

test('the numbers of lists reach the email, and its plain text', async () => {
  const list = `<p>${long}</p><ol start="5" type="a"><li>One.</li><li value="9">Two.</li></ol>`
  const { html, text } = await render(await viewOf(`<title>Line</title>${content(list)}`))
  expect(html).toMatch(/<ol start="5" type="a" style="[^"]*"><li style="[^"]*">One\.<\/li><li value="9" style/)
  expect(text).toContain('e. One.')
  expect(text).toContain('i. Two.')
})

test('other attributes of a list are text', () => {
  expect(bodyText('<ol start="1" onclick="x"><li value="a">One</li></ol>')).toContain('onclick')
})
