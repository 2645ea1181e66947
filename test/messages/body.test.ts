import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { compileMessage, rawMessage } from '../../src/mail/mime.ts'
import { bodyText } from '../../src/messages/body/body-text.ts'
import { renderEdition } from '../../src/messages/render.ts'
import type { EditionView } from '../../src/messages/view.ts'
import { sameKeys } from '../support/keys.ts'
import { readEdition, render, template } from './editions.ts'

/** The edition with this body in its first article, and in no other. */
function withBody(html: string): EditionView {
  const view = readEdition('thin')
  const [first] = view.sections
  if (first?.lead) first.lead.body = { html, text: '', cut: false }
  return view
}

const bodyIn = (html: string) => /<div class="body text"[^>]*>([\s\S]*?)<\/div>/.exec(html)?.[1]

describe('a body in the email', () => {
  test('comes in whole, each element with its style', async () => {
    const { html, problems } = await render(
      withBody('<p>One <a href="https://x.example/?a=1&amp;b=2">link</a><br><em>two</em></p><h3>Head</h3>'),
    )
    expect(problems).toEqual([])
    expect(bodyIn(html)).toBe(
      '<p style="margin:0 0 14px">One <a href="https://x.example/?a=1&amp;b=2" style="color:#856b00;text-decoration:underline">link</a><br><em>two</em></p>' +
        '<h4 style="margin:22px 0 8px;font-size:17px;line-height:1.35;font-weight:700">Head</h4>',
    )
  })

  test.each([
    ['Handlebars', '{{subject}} {{{subject}}} {{> footer}} {{#each sections}}{{title}}{{/each}} {{constructor}}'],
    ['MJML in entities', '&lt;mj-raw&gt;&lt;/mj-text&gt; &lt;mj-include path="/etc/passwd" /&gt;'],
    ['patterns of replacing', "$& $1 $` $' $$"],
    ['marks', 'body-00000000000000000000000000000000-0- body-0-'],
  ])('is never read again: %s arrives as it was written', async (_, words) => {
    const { html, text, problems } = await render(withBody(`<p>${words}</p>`))
    expect(problems).toEqual([])
    expect(bodyIn(html)).toBe(
      `<p style="margin:0 0 14px">${words.replaceAll('>', '&gt;').replaceAll('&amp;gt;', '&gt;')}</p>`,
    )
    const plain = words.replaceAll('&lt;', '<').replaceAll('&gt;', '>')
    expect(text.replace(/\s+/g, ' ')).toContain(plain)
  })

  test.each([
    '<mj-raw><script>alert(1)</script></mj-raw>',
    '</td></tr></table></div><mj-section>',
    '<p onclick="alert(1)">x</p>',
    '<p style="position:fixed">x</p>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="https://x.example/" onclick="alert(1)">x</a>',
    '<img src=x onerror=alert(1)><svg><style>',
    '<!-- swallowed',
    '<p',
  ])('%s is text, should it ever come so far', async (trick) => {
    const { html } = await render(withBody(`<p>before</p>${trick}<p>after</p>`))
    const body = bodyIn(html) ?? ''
    expect(body).toMatch(/before<\/p>[\s\S]*after<\/p>$/)
    expect(body.replaceAll(/<\/?(?:p|a)(?: style="[^"]*")?>/g, '')).not.toContain('<')
    expect(html.endsWith('</html>')).toBe(true)
  })

  test('may stand between tags only: a template that puts it into one is refused', async () => {
    const view = withBody('<p>x</p>')
    const inTag = {
      ...template,
      mjml: (marked: EditionView) => frame(`<p title="${marked.sections[0]?.lead?.body?.html}">x</p>`),
    }
    expect(await renderEdition(view, inTag)).toMatchObject({
      html: '',
      problems: [expect.stringMatching(/digest\.mjml\.hbs: a body.html is inside a tag: it may only be between tags/)],
    })
    const between = { ...template, mjml: (marked: EditionView) => frame(marked.sections[0]?.lead?.body?.html ?? '') }
    expect((await renderEdition(view, between)).html).toContain('<p style="margin:0 0 14px">x</p>')
  })

  test('of words without end breaks no line of the message beyond 998 octets', async () => {
    const rendered = await render(
      withBody(`<p>${'ж'.repeat(8000)} <a href="https://x.example/${'y'.repeat(1900)}">link</a></p>`),
    )
    const head = {
      number: 1,
      digest: { name: 'weekly', title: 'W' },
      publication: { name: 'M', site: 'https://m.example' },
    }
    const from = { name: 'M', address: 'm@m.example' }
    const letter = {
      ...head,
      from,
      webUrl: 'https://m.example',
      replyTo: from.address,
      returnPath: from.address,
      editionId: 'e',
      senderId: 'lwmagazine234',
      slot: 's'.repeat(48),
      ...rendered,
    }
    const raw = rawMessage(
      compileMessage(letter)({
        email: 'a@b.example',
        name: '',
        keys: sameKeys('k'.repeat(48)),
        date: '2026-11-27T07:00:00.000Z',
      }),
    )
    expect(
      Math.max(
        ...raw
          .toString('latin1')
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(998)
    const mail = await simpleParser(raw)
    for (const part of [String(mail.html), String(mail.text)]) expect(part).toContain('ж'.repeat(8000))
  })
})

function frame(inside: string): string {
  return `<mjml><mj-body><mj-section><mj-column><mj-text>${inside}</mj-text></mj-column></mj-section></mj-body></mjml>`
}

test('a body as plain text has its addresses, and lists and quotes that can be told apart', () => {
  const html =
    '<p>See <a href="https://x.example/?a=1&amp;b=2">the list</a>, or <a href="https://y.example/">https://y.example/</a>.</p><h3>Head</h3>' +
    '<ul><li>one<ul><li>in</li></ul></li><li>two<br>more</li></ul><ol><li>first</li><li>second</li></ol>' +
    '<blockquote><p>Said.</p><p>Again.</p></blockquote><p>&lt;b&gt; &amp;amp; “end”</p>'
  expect(bodyText(html)).toBe(`See the list (https://x.example/?a=1&b=2), or https://y.example/.

Head

- one
  - in
- two
  more

1. first
2. second

    Said.

    Again.

<b> &amp; “end”`)
})
