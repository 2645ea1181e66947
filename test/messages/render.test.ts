import { caniemail } from 'caniemail'
import { HtmlValidate, StaticConfigLoader } from 'html-validate'
import { describe, expect, test } from 'vitest'
import { renderEdition } from '../../src/messages/render.ts'
import type { ArticleView, EditionView } from '../../src/messages/view.ts'
import { names, readEdition, render, template } from './editions.ts'

describe('the digest template', () => {
  test.each(names)('renders the %s edition without a problem', async (name) => {
    expect((await render(readEdition(name))).problems).toEqual([])
  })

  test('stays under 90 KB of HTML with 30 articles that have long addresses and standfirsts', async () => {
    const view = readEdition('thirty')
    expect(articlesOf(view)).toHaveLength(30)
    for (const article of articlesOf(view)) {
      article.url = article.url.padEnd(110, '-')
      article.summary ||= article.title
      article.summary = article.summary.padEnd(220, ' and so on').slice(0, 220)
    }
    const { html } = await render(view)
    expect(Buffer.byteLength(html)).toBeLessThan(90 * 1024)
  })

  test('has each article, its address and every link of the footer in the HTML and in the text', async () => {
    const view = readEdition('full')
    const { html, text } = await render(view)
    const flat = text.replace(/\s+/g, ' ')
    for (const { title, url } of articlesOf(view)) {
      expect(html).toContain(title.replaceAll("'", '&#x27;'))
      expect(html).toContain(`href="${url}"`)
      expect(flat).toContain(title)
      expect(text).toContain(`${url}\n`)
    }
    for (const link of [view.links.leave, view.links.preferences, view.links.view, view.links.site]) {
      expect(html).toContain(`href="${link}"`)
      expect(text).toContain(link)
    }
    for (const words of [...view.publication.address, view.why, view.publication.contact, ...view.introduction]) {
      expect(html).toContain(words)
      expect(flat).toContain(words)
    }
  })

  test('has each correction after the sections and before the footer, with what was said, what is right and the link', async () => {
    const view = readEdition('full')
    const { html, text } = await render(view)
    const flat = text.replace(/\s+/g, ' ')
    const [first, gone] = view.corrections
    for (const { said, words, edition } of view.corrections) {
      expect(html).toContain(`We wrote: “${said}”`)
      expect(html).toContain(words)
      expect(flat).toContain(`${edition} We wrote: “${said}” ${words}`)
    }
    expect(html).toContain(`href="${first?.article?.url}"`)
    expect(gone?.article).toBe(null)
    expect(html.match(/Read the article/g)).toHaveLength(1)
    const order = [view.sections.at(-1)?.title ?? '', 'We wrote:', view.why]
    for (const twin of [html, flat])
      expect(order.map((words) => twin.indexOf(words)).toSorted((a, b) => a - b)).toEqual(
        order.map((words) => twin.indexOf(words)),
      )
    const { html: without } = await render({ ...view, corrections: [] })
    expect(without).not.toContain('Corrections')
  })

  test('prints letters whole, with headline, name and place, before the invitation, in the HTML and in the text', async () => {
    const view = { ...readEdition('full'), corrections: [] } // they come after it
    const { html, text } = await render(view)
    const { letters, text: invitation } = view.sections.find(({ is }) => is.haveYourSay) ?? {}
    if (!letters || !invitation) throw new Error('no letters')
    const printed = [letters.first, ...letters.more].flatMap((one) => [one.headline, ...one.paragraphs, one.name])
    const flat = text.slice(text.lastIndexOf('====')).replace(/\s+/g, ' ')
    for (const words of printed) {
      expect(html.indexOf(`>${words}<`)).toBeGreaterThan(0)
      expect(html.indexOf(`>${words}<`)).toBeLessThan(html.indexOf(`>${invitation}<`))
      expect(flat).toContain(words)
    }
    expect(html).toContain('>Hebden Bridge · 23 November 2026<')
    expect(html).toContain('>24 November 2026<') // of one who names no place
    expect(flat).toContain('— Margaret Okafor, Hebden Bridge In defence of the long consultation')
    expect(flat).toContain('— R. Lindqvist Write to the editor')
    expect(text).toContain('- Have your say: The empty floor is the cheapest one, and 1 more')
  })

  test('keeps the placeholder of a slot as it is, in HTML and in text', async () => {
    const view = readEdition('thin')
    const leave = 'https://news.example.org/leave/~~~~~~~~?edition=1'
    const { html, text } = await render({ ...view, links: { ...view.links, leave } })
    expect(html).toContain(`href="${leave}"`)
    expect(text).toContain(`${leave}\n`)
  })

  test('fetches nothing but the pictures of the feed and the logo', async () => {
    const view = readEdition('full')
    const { html } = await render(view)
    const pictures = new Set(articlesOf(view).flatMap(({ image }) => (image ? [image.url] : [])))
    const fetched = [...html.matchAll(/\bsrc="([^"]+)"/g)].map(([, address]) => address)
    expect(fetched.filter((address) => !pictures.has(address ?? ''))).toEqual([])
    expect(html).not.toMatch(/<link\b|@import|@font-face|url\(|<script\b/)
  })

  test('has no style block that Gmail would drop for its length', async () => {
    const { html } = await render(readEdition('full'))
    const blocks = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map(([, css]) => css ?? '')
    for (const css of blocks) expect(css.length).toBeLessThan(8192)
    expect(blocks.join('').length).toBeLessThan(16_384)
  })

  // Deprecated attributes (align, bgcolor, border) are all that Outlook reads.
  test('is HTML in which html-validate finds nothing but deprecated attributes', async () => {
    const validator = new HtmlValidate(
      new StaticConfigLoader([], { extends: ['html-validate:standard'], rules: { 'no-deprecated-attr': 'off' } }),
    )
    for (const name of names) {
      const { html } = await render(readEdition(name))
      const report = await validator.validateString(html)
      const found = report.results.flatMap(({ messages }) =>
        messages.map(({ ruleId, message, line }) => `${ruleId}: ${message} (${line})`),
      )
      expect(found, name).toEqual([])
    }
  })
})

describe('in the mail programs that caniemail knows', () => {
  test('whatever Gmail, Outlook or Apple Mail lacks has a fallback that we chose', async () => {
    const { html } = await render(readEdition('full'))
    const { issues } = caniemail({ clients: ['gmail.*', 'outlook.*', 'apple-mail.*'], html })
    const lacking = [...issues.errors].flatMap(([client, errors]) => errors.map(({ title }) => ({ client, title })))
    const unexpected = lacking.filter(({ client, title }) => client !== withoutStyles && !(title in fallbacks))
    expect(unexpected).toEqual([])
    const unneeded = Object.keys(fallbacks).filter((title) => !lacking.some((lack) => lack.title === title))
    expect(unneeded).toEqual([])
  })
})

describe('the plain text', () => {
  test.each(names)('of the %s edition has no line over 76 columns but addresses', async (name) => {
    const { text } = await render(readEdition(name))
    const long = text.split('\n').filter((line) => [...line].length > 76 && !/^\s*\S*:\/\/\S+$/.test(line))
    expect(long).toEqual([])
  })

  test('has the same sections in the same order as the HTML', async () => {
    const view = readEdition('full')
    const { html, text } = await render(view)
    const titles = view.sections.map(({ title }) => title)
    expect([...html.matchAll(/<h2[^>]*id="[^"]*"[^>]*>([^<]*)</g)].map(([, title]) => title)).toEqual(titles)
    expect([...text.matchAll(/^={72}\n(.*)\n={72}$/gm)].map(([, title]) => title)).toEqual([...titles, 'Corrections'])
  })

  test('is plain: no entity and no trace of MJML or HTML', async () => {
    const { text } = await render(readEdition('full'))
    expect(text).not.toMatch(/&\w+;|&#|<\w|\{\{/)
  })
})

describe('a problem', () => {
  test('of the template is told in words, and the rendering does not throw', async () => {
    const view = readEdition('thin')
    const misspelt = {
      ...template,
      mjml: () => '<mjml><mj-body><mj-section colour="red"></mj-section></mj-body></mjml>',
    }
    expect((await renderEdition(view, misspelt)).problems).toEqual([
      expect.stringMatching(/digest\.mjml\.hbs: <mj-section> in line 1.*colour/),
    ])
    const empty = { ...template, mjml: () => 'nothing' }
    expect(await renderEdition(view, empty)).toMatchObject({
      html: '',
      problems: [expect.stringMatching(/digest\.mjml\.hbs: /)],
    })
  })
})

/** Gmail on a phone's browser reads no style block: it shows the desktop layout, narrower. */
const withoutStyles = 'gmail.mobile-webmail'

/** What some of them lack, and what happens there. Everything needed stands in style attributes. */
const fallbacks = {
  '@media': 'Outlook for Windows is never narrow',
  'Attribute selector': 'only for the dark mode of outlook.com',
  'Chaining selectors': 'only hover and dark mode',
  'Child combinator': 'only dark mode',
  'Local anchors': 'the table of contents still tells what is in the edition',
  ':hover': 'titles are not underlined under a pointer',
  '<body> element': 'the division inside has the same background',
  'aria-label attribute': 'the visible text is read',
  'aspect-ratio': 'pictures keep their own shape',
  'border-radius': 'square portraits and corners',
  'color-scheme meta tag': 'the client decides',
  cursor: 'from MJML, without effect',
  'display:none': 'the preview is also clear and one pixel high',
  'max-height property': 'the preview is also not displayed',
  'object-fit': 'pictures keep their own shape',
  opacity: 'the preview is also not displayed',
  outline: 'from MJML, without effect',
  overflow: 'the preview is also not displayed',
  'role attribute': 'layout tables are read as tables',
  'table-layout': 'from MJML, the default value',
  'target attribute': 'from MJML, without effect',
  'white-space': 'short labels may wrap',
  'word-break': 'long words stick out',
  'word-spacing': 'from MJML, the default value',
}

function articlesOf(view: EditionView): ArticleView[] {
  return view.sections.flatMap(({ lead, more }) => (lead ? [lead, ...more] : more))
}
