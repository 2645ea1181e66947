import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mjmlTags, unknownTag } from '../../src/messages/mjml-tags.ts'
import { renderEdition } from '../../src/messages/render.ts'
import { openTemplate } from '../../src/messages/template.ts'
import { readVisible } from '../../src/messages/visible-text.ts'
import { readEdition } from './editions.ts'

let templates: string
beforeEach(() => {
  templates = mkdtempSync(join(tmpdir(), 'lastword-faults-'))
  cpSync('templates', templates, { recursive: true })
})
afterEach(() => rmSync(templates, { recursive: true }))

const file = (name: string) => join(templates, 'email', name)
function change(name: string, from: string | RegExp, to: string): void {
  const before = readFileSync(file(name), 'utf8')
  const changed = before.replace(from, to)
  expect(changed).not.toBe(before)
  writeFileSync(file(name), changed)
}
const problems = async (name: Parameters<typeof readEdition>[0] = 'full') =>
  (await renderEdition(readEdition(name), openTemplate(templates, 'digest'))).problems

describe('an address', () => {
  test.each([
    'https://www.example.org/wiki/Leith_(port)',
    'https://www.example.org/the-end.',
    "https://www.example.org/?of='harbour'",
    'https://www.example.org/list,',
    'https://www.example.org/a;b;',
  ])('that ends with a mark is found in the text as well: %s', async (url) => {
    const view = readEdition('full')
    const lead = view.sections[0]?.lead
    if (!lead) throw new Error('no lead')
    lead.url = url
    expect((await renderEdition(view, openTemplate(templates, 'digest'))).problems).toEqual([])
    change('parts/teaser.txt.hbs', /\{\{url\}\}/, '({{url}}).')
    expect((await renderEdition(view, openTemplate(templates, 'digest'))).problems).toEqual([])
  })
})

describe('a template without its footer', () => {
  const unsubscribe = /has no visible unsubscribe link: it needs \{\{> footer\}\}/
  const address = /does not show the postal address/

  test('is told so for the HTML and for the text, with the file of each', async () => {
    change('digest.mjml.hbs', '{{> footer}}', '')
    const html = await problems()
    expect(html).toEqual([expect.stringMatching(unsubscribe), expect.stringMatching(address)])
    for (const one of html) expect(one.startsWith(`${file('digest.mjml.hbs')}: its HTML `)).toBe(true)
    change('digest.txt.hbs', '{{> footer}}', '')
    expect((await problems()).filter((one) => one.startsWith(`${file('digest.txt.hbs')}: its text `))).toHaveLength(2)
  })

  test.each([
    ['in a comment', '<mj-raw><!-- ', ' --></mj-raw>'],
    ['in Outlook alone', '<mj-raw><!--[if mso]>', '<![endif]--></mj-raw>'],
    ['not displayed', '<mj-raw><div style="color:red; display: none">', '</div></mj-raw>'],
    ['invisible', '<mj-raw><div style="visibility:hidden">', '</div></mj-raw>'],
    ['without a size', '<mj-raw><div style="font-size:0px">', '</div></mj-raw>'],
    ['clear', '<mj-raw><div style="opacity:0">', '</div></mj-raw>'],
    ['hidden', '<mj-raw><div hidden>', '</div></mj-raw>'],
    ['hidden by a class', '<mj-raw><style>.gone { display:none }</style><div class="gone">', '</div></mj-raw>'],
    ['far to the left', '<mj-raw><div style="position:absolute;left:-9999px">', '</div></mj-raw>'],
    ['far to the right', '<mj-raw><div style="position:absolute;right:-9999px;bottom:-9999px">', '</div></mj-raw>'],
    ['in a box of no height', '<mj-raw><div style="height:0;overflow:hidden">', '</div></mj-raw>'],
    ['set in a font of no size', '<mj-raw><div style="font:0/0 a">', '</div></mj-raw>'],
    ['smaller than a pixel', '<mj-raw><div style="font-size:.1px">', '</div></mj-raw>'],
    ['one pixel high', '<mj-section><mj-column><mj-text font-size="1px">', '</mj-text></mj-column></mj-section>'],
    ['transparent', '<mj-raw><div style="color:rgba(0,0,0,0)">', '</div></mj-raw>'],
    ['transparent in hexadecimal', '<mj-raw><div style="color:#fff0">', '</div></mj-raw>'],
    ['scaled to nothing', '<mj-raw><div style="transform:scale(0)">', '</div></mj-raw>'],
    ['clipped', '<mj-raw><div style="position:absolute;clip:rect(0,0,0,0)">', '</div></mj-raw>'],
    ['clipped by a path', '<mj-raw><div style="clip-path:inset(100%)">', '</div></mj-raw>'],
    ['clear in per cent', '<mj-raw><div style="opacity:0%">', '</div></mj-raw>'],
    ['nearly clear', '<mj-raw><div style="opacity:.01">', '</div></mj-raw>'],
    ['filtered', '<mj-raw><div style="filter:opacity(0)">', '</div></mj-raw>'],
    ['not displayed, with a comment', '<mj-raw><div style="display:/**/none">', '</div></mj-raw>'],
    ['hidden from Outlook', '<mj-raw><div style="mso-hide:all">', '</div></mj-raw>'],
    ['in details that are closed', '<mj-raw><details><summary>More</summary>', '</details></mj-raw>'],
    ['hidden by an id', '<mj-raw><style>#foot { display:none }</style><div id="foot">', '</div></mj-raw>'],
    [
      'white on white',
      '<mj-section background-color="#ffffff"><mj-column><mj-text color="white"><div>',
      '</div></mj-text></mj-column></mj-section>',
    ],
    ['grey on the same grey', '<mj-raw><div style="background:#eee;color:rgb(238, 238, 238)">', '</div></mj-raw>'],
  ])('is told so when the link and the address are %s', async (_, before, after) => {
    const bare = '<a href="{{links.leave}}">Leave</a> {{#each publication.address}}{{this}} {{/each}}'
    change('digest.mjml.hbs', '{{> footer}}', `${before}${bare}${after}`)
    expect(await problems()).toEqual([expect.stringMatching(unsubscribe), expect.stringMatching(address)])
    change('digest.mjml.hbs', `${before}${bare}${after}`, `<mj-raw><div class="gone">${bare}</div></mj-raw>`)
    expect(await problems()).toEqual([])
  })

  test.each([
    ['has nothing to press', '<a href="{{links.leave}}"> &nbsp; </a>'],
    [
      'stands around a picture of one pixel',
      '<a href="{{links.leave}}"><img src="https://h.example/p.gif" width="1" height="1" alt=""></a>',
    ],
    ['is an attribute of something else', '<p title="{{links.leave}}">Leave</p>'],
    ['is written out only', '<p>{{links.leave}}</p>'],
    ['leads to the preferences', '<a href="{{links.preferences}}">Leave</a>'],
  ])('is told so when the link %s', async (_, link) => {
    change('parts/footer.mjml.hbs', /<a href="\{\{links.leave\}\}".*?<\/a>/, link)
    expect(await problems()).toEqual([expect.stringMatching(unsubscribe)])
  })

  test('is told so when one line of the address is missing', async () => {
    change(
      'parts/footer.txt.hbs',
      '{{#each publication.address}}\n{{this}}',
      '{{#each publication.address}}\n{{#if @first}}{{this}}{{/if}}',
    )
    expect(await problems()).toEqual([expect.stringMatching(/txt\.hbs: its text does not show the postal address/)])
  })
})

describe('a footer of somebody', () => {
  const bare = '<a href="{{links.leave}}">Stop these emails</a> {{#each publication.address}}{{this}} {{/each}}'

  test.each([
    ['plain', '<mj-section><mj-column><mj-text>', '</mj-text></mj-column></mj-section>'],
    [
      'white on a dark bar',
      '<mj-section background-color="#111111"><mj-column><mj-text color="#ffffff">',
      '</mj-text></mj-column></mj-section>',
    ],
    [
      'white on a picture over white',
      '<mj-section background-color="#ffffff" background-url="https://h.example/night.jpg"><mj-column><mj-text color="#ffffff">',
      '</mj-text></mj-column></mj-section>',
    ],
    [
      'white on a ground that a class gives',
      '<mj-raw><style>.night { background:#111 }</style></mj-raw><mj-section background-color="#ffffff"><mj-column><mj-text><div class="night"><div style="color:#fff">',
      '</div></div></mj-text></mj-column></mj-section>',
    ],
    [
      'white on a ground that a rule for all cells gives',
      '<mj-raw><style>td { background:#111 !important }</style></mj-raw><mj-section background-color="#ffffff"><mj-column><mj-text color="#fff">',
      '</mj-text></mj-column></mj-section>',
    ],
    [
      'white on white for dark screens alone',
      '<mj-raw><style>@media (prefers-color-scheme:dark) { .foot { background:#111; color:#111 } }</style><div class="foot" style="background:#fff;color:#111">',
      '</div></mj-raw>',
    ],
    ['in open details', '<mj-raw><details open><summary>More</summary>', '</details></mj-raw>'],
    ['in small print', '<mj-raw><div style="font-size:9px;opacity:.7;color:rgba(0,0,0,.6)">', '</div></mj-raw>'],
    [
      'in a box that cuts what is too long',
      '<mj-raw><div style="overflow:hidden;max-height:300px">',
      '</div></mj-raw>',
    ],
    ['shown again inside', '<mj-raw><div style="color:transparent"><p style="color:#333">', '</p></div></mj-raw>'],
    ['in an odd colour', '<mj-raw><div style="background:var(--paper);color:hsl(0 0% 20%)">', '</div></mj-raw>'],
  ])('is seen where it is %s', async (_, before, after) => {
    change('digest.mjml.hbs', '{{> footer}}', `${before}${bare}${after}`)
    expect(await problems()).toEqual([])
  })

  test('may be a picture to press', async () => {
    const picture =
      '<a href="{{links.leave}}"><img src="https://h.example/stop.png" width="90" height="20" alt="Stop"></a>'
    change('parts/footer.mjml.hbs', /<a href="\{\{links.leave\}\}".*?<\/a>/, picture)
    expect(await problems()).toEqual([])
  })
})

describe('a template that leaves out articles', () => {
  test.each(['latest', 'last-word', 'focus', 'tv'])('of the layout %s is told so for each half', async (layout) => {
    const line = new RegExp(`\\{\\{#if is.\\w+\\}\\}\\{\\{> ${layout}\\}\\}\\{\\{/if\\}\\}`)
    const section = readEdition('full').sections.find((one) => one.layout === layout)
    change('digest.mjml.hbs', line, '')
    const lost = new RegExp(
      `its HTML leaves out all \\d+ articles of the section “${section?.title}”: it needs \\{\\{> ${layout}`,
    )
    expect(await problems()).toEqual([expect.stringMatching(lost)])
    change('digest.txt.hbs', line, '')
    expect(await problems()).toHaveLength(2)
  })

  test('but the first of a section is told how many', async () => {
    change('parts/latest.mjml.hbs', '{{> teaser}}', '')
    const { more = [] } = readEdition('full').sections.find(({ layout }) => layout === 'latest') ?? {}
    expect(await problems()).toEqual([
      expect.stringContaining(`leaves out ${more.length} of ${more.length + 1} articles of the section`),
    ])
  })
})

describe('what articles say and where they lead', () => {
  const sharing = (url: string) => {
    const view = readEdition('full')
    for (const { lead, more } of view.sections) for (const one of lead ? [lead, ...more] : more) one.url = url
    return view
  }
  const problemsOf = async (view: ReturnType<typeof readEdition>) =>
    (await renderEdition(view, openTemplate(templates, 'digest'))).problems

  test('does not stand for the postal address in the footer', async () => {
    const view = readEdition('full')
    const lead = view.sections[0]?.lead
    if (!lead) throw new Error('no lead')
    lead.summary = `They moved to ${view.publication.address.join(' ')} last week`
    lead.title = view.publication.address.join(' ')
    expect(await problemsOf(view)).toEqual([])
    change('parts/footer.mjml.hbs', '{{#each publication.address}}<br>{{this}}{{/each}}', '')
    change('parts/footer.txt.hbs', '{{#each publication.address}}\n{{this}}\n{{/each}}', '')
    const lost = 'does not show the postal address: it needs {{> footer}}, or each line of {{publication.address}}'
    expect(await problemsOf(view)).toEqual([
      `${file('digest.mjml.hbs')}: its HTML ${lost}`,
      `${file('digest.txt.hbs')}: its text ${lost}`,
    ])
  })

  test('does not hide that a section is left out, if its articles lead where the masthead does', async () => {
    const view = sharing(readEdition('full').links.site)
    expect(await problemsOf(view)).toEqual([])
    change('digest.mjml.hbs', /\{\{#if is.latest\}\}\{\{> latest\}\}\{\{\/if\}\}/, '')
    expect(await problemsOf(view)).toEqual([expect.stringMatching(/its HTML leaves out all \d+ articles/)])
  })

  test('does not hide that some are left out, if all share one address', async () => {
    const view = sharing('https://www.example.org/one')
    expect(await problemsOf(view)).toEqual([])
    change('parts/latest.mjml.hbs', '{{> teaser}}', '')
    expect(await problemsOf(view)).toEqual([expect.stringMatching(/its HTML leaves out \d+ of \d+ articles/)])
  })

  test('is no fault of the template, not even a title that shows nothing', async () => {
    const view = readEdition('full')
    for (const { lead, more } of view.sections)
      for (const one of lead ? [lead, ...more] : more) one.title = '\u2066\u2069'
    expect(await problemsOf(view)).toEqual([])
  })
})

describe('a tag that MJML does not know', () => {
  test.each([
    ['parts/latest.mjml.hbs', '<mj-section', '<mj-secton', 1, 'mj-secton', 'mj-section'],
    ['parts/latest.mjml.hbs', '</mj-column>', '</mj-colum>', 12, 'mj-colum', 'mj-column'],
    ['digest.mjml.hbs', /mj-body/g, 'mj-bdy', 18, 'mj-bdy', 'mj-body'],
    ['parts/letter.mjml.hbs', '{{#each', '<mj-buttn>x</mj-buttn>{{#each', 5, 'mj-buttn', 'mj-button'],
  ])('in %s is refused when it is opened, with the line', (name, from, to, line, given, meant) => {
    change(name, from, to)
    expect(() => openTemplate(templates, 'digest')).toThrow(
      `${file(name)}:${line}: there is no MJML tag <${given}>: did you mean <${meant}>?`,
    )
  })

  test('is no tag in a comment of Handlebars or of HTML', () => {
    change('digest.mjml.hbs', '{{> opening}}', '{{!-- <mj-secton> --}}<!-- <mj-secton> -->{{> opening}}')
    expect(() => openTemplate(templates, 'digest')).not.toThrow()
    expect(unknownTag('<mj-text>\n<!-- a\n b --><MJ-TXT>')).toEqual({ name: 'MJ-TXT', line: 2 })
  })

  test('is mj-include too: nothing outside the folder is read', async () => {
    change('digest.mjml.hbs', '{{> opening}}', '\n<mj-include path="/etc/hostname" type="html" />')
    expect(() => openTemplate(templates, 'digest')).toThrow(/digest\.mjml\.hbs:21: <mj-include> is off/)
  })

  test('is none of those that MJML registers', () => {
    const { components } = createRequire(createRequire(import.meta.url).resolve('mjml'))('mjml-core')
    createRequire(import.meta.url)('mjml')
    expect(Object.keys(components).length).toBeGreaterThan(25)
    expect(Object.keys(components).filter((name) => !mjmlTags.has(name))).toEqual([])
  })
})

describe('what MJML finds in a filled template', () => {
  test('is told by the file and line where it is written, however many articles hold it', async () => {
    change('parts/lead.mjml.hbs', '<mj-table>', '\n<mj-table paddng="0">')
    change('parts/letter.mjml.hbs', 'padding-bottom', 'font-size="large" padding-bottom')
    expect(await problems()).toEqual([
      expect.stringContaining(`${file('parts/lead.mjml.hbs')}:2: <mj-table> has no attribute “paddng”`),
      expect.stringMatching(/parts\/letter\.mjml\.hbs:2: <mj-text> Attribute font-size has invalid value: large/),
    ])
  })

  test('is one sentence where HTML stands outside of mj-text, and not one for each of its tags', async () => {
    change(
      'digest.mjml.hbs',
      '{{> opening}}',
      '{{> opening}}<div><p>a</p><b>b</b><i>i</i><u>u</u><s>s</s><em>e</em></div>',
    )
    const found = await problems()
    expect(found).toHaveLength(6)
    expect(found[0]).toMatch(/digest\.mjml\.hbs:20: <div> is not an MJML tag/)
    expect(found[5]).toBe('… and 2 more')
  })

  test('names the file when nothing is left of it', async () => {
    writeFileSync(file('digest.mjml.hbs'), '<mjml></mjml>')
    expect(await problems()).toEqual([expect.stringMatching(/digest\.mjml\.hbs: Malformed MJML/)])
    writeFileSync(file('digest.mjml.hbs'), '<mjml><mj-body></mj-body></mjml>')
    expect(await problems()).toEqual([`${file('digest.mjml.hbs')}: its HTML is empty`])
  })
})

describe('what is seen of a message', () => {
  test.each([
    ['a<br>b<p>c</p>d', 'a b c d'],
    ['a<b>b</b>c', 'abc'],
    ['<div style="font-size:0"><p style="font-size:14px">a</p>b</div>', 'a'],
    ['<div style="font-size:0"><p style="font:700 14px/1.2 Georgia">a</p>b</div>', 'a'],
    ['a<!-- > b --><!--[if !mso]><!-->c<!--<![endif]-->', 'ac'],
    ['<head><title>a</title></head><style>p{}</style><script>"<p>b"</script>c', 'c'],
    ['<p title="a > b">c</p><img alt="d">', 'c'],
    ['&lt;b&gt; &amp;amp; &#x27;&#39;&nbsp;&middot;', "<b> &amp; '' ·"],
    [
      '<style>@media (max-width:9px) { .a { display:none } } .b, p.c { display:none }</style><i class="a">a</i><p class="b">b</p><p class="c">c</p>',
      'a',
    ],
    ['<p style="display:none">a<p>b</p></p>c</div>', 'c'],
    ['a < b <', 'a < b <'],
  ])('%s', (html, text) => {
    expect(readVisible(html).text).toBe(text)
  })
})
