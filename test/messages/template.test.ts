import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openTemplate } from '../../src/messages/template.ts'
import { readEdition } from './editions.ts'

const view = readEdition('thin')

describe('a template', () => {
  let templates: string
  beforeEach(() => {
    templates = mkdtempSync(join(tmpdir(), 'lastword-'))
    mkdirSync(join(templates, 'email/parts'), { recursive: true })
    write('letter.mjml.hbs', '{{subject}}')
    write('letter.txt.hbs', '{{subject}}')
  })
  afterEach(() => rmSync(templates, { recursive: true }))

  const write = (file: string, source: string) => writeFileSync(join(templates, 'email', file), source)
  const open = () => openTemplate(templates, 'letter')

  test('that is missing is named with its file', () => {
    expect(() => openTemplate(templates, 'none')).toThrow(/email\/none\.mjml\.hbs: there is no such template/)
    expect(() => openTemplate(templates, '../letter')).toThrow(/not the name of a template/)
  })

  test('with a mistake is refused when it is opened, with file and line', () => {
    write('letter.txt.hbs', 'one\n{{#if subject}}\nthree')
    expect(open).toThrow(/email\/letter\.txt\.hbs:3: /)
    write('letter.txt.hbs', 'one\n{{subject}\n')
    expect(open).toThrow(/email\/letter\.txt\.hbs:2: /)
    write('letter.txt.hbs', 'one\n\n{{shout subject}}')
    expect(open).toThrow(/email\/letter\.txt\.hbs:3: .*shout/)
    write('letter.txt.hbs', '{{subject}}')
    write('parts/foot.mjml.hbs', '\n{{#each}}')
    expect(open).toThrow(/email\/parts\/foot\.mjml\.hbs:2: /)
  })

  test.each([
    ['{{t "email.no-such"}}', 'there is no text "email.no-such"'],
    ['{{t "email.number"}}', 'needs the value number'],
    ['{{t "email.unsubscribe" name=subject}}', 'has no value name'],
    ['{{t subject}}', 'needs one key in quotes'],
    ['{{t "email.reply" address=subject}}', 'has a tag'],
    ['{{#t "email.unsubscribe"}}x{{/t}}', 'has no tag'],
    ['{{#if subject}}{{#each sections}}{{t "email.no-such"}}{{/each}}{{/if}}', 'there is no text'],
    ['{{dotted subject (t "email.no-such")}}', 'there is no text'],
  ])('with a translation that cannot work, %s, is refused when it is opened', (source, fault) => {
    write('letter.txt.hbs', `one\n\n${source}`)
    expect(open).toThrow(new RegExp(`letter\\.txt\\.hbs:3: .*${fault}`))
    write('letter.txt.hbs', '{{subject}}')
    write('parts/foot.mjml.hbs', `one\n${source}`)
    expect(open).toThrow(new RegExp(`foot\\.mjml\\.hbs:2: .*${fault}`))
  })

  test('has the words of the language of the edition, escaped in MJML only', () => {
    const source =
      '{{t "email.we-wrote" headline=subject}} {{#t "email.reply" address=subject}}<i>{{@inside}}</i>{{/t}}'
    write('letter.mjml.hbs', source)
    write('letter.txt.hbs', source)
    const edition = { ...view, language: 'en-GB', subject: 'A & B' }
    expect(open().mjml(edition)).toContain('We wrote: “A &amp; B”')
    expect(open().mjml(edition)).toContain('It reaches <i>A &amp; B</i>, and a person')
    expect(open().text(edition)).toContain('We wrote: “A & B”')
    expect(open().text(edition)).toContain('It reaches <i>A & B</i>,')
  })

  test('knows the sides of a line in the language of the edition', () => {
    write('letter.mjml.hbs', '{{@language}} {{@dir}} {{@start}} {{@end}}')
    expect(open().mjml({ ...view, language: 'en-GB' })).toContain('en-GB ltr left right')
    expect(open().mjml({ ...view, language: 'ar' })).toContain('ar rtl right left')
  })

  test('that asks for a part which is not there is refused when it is opened', () => {
    write('letter.mjml.hbs', 'one\n{{> nose}}')
    expect(open).toThrow(/letter\.mjml\.hbs:2: there is no part "nose"/)
  })

  test('that shows what the view does not hold says where', () => {
    write('letter.mjml.hbs', '{{#each sections}}{{> piece}}{{/each}}')
    write('parts/piece.mjml.hbs', '{{title}}\n{{colour}}')
    expect(() => open().mjml(view)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        message: expect.stringMatching(/parts\/piece\.mjml\.hbs:2: .*colour/),
      }),
    )
  })

  test('cannot reach a prototype', () => {
    for (const name of ['constructor', 'subject.constructor', 'toString', '__proto__']) {
      write('letter.mjml.hbs', `{{#if ${name}}}reached{{/if}}`)
      expect(open().mjml(view), name).toBe('')
    }
  })

  test('escapes in MJML and not in text, and leaves = and ` readable', () => {
    const subject = `<b> & "q" 'a' a=b \`c\``
    const template = open()
    expect(template.mjml({ ...view, subject })).toBe('&lt;b&gt; &amp; &quot;q&quot; &#x27;a&#x27; a=b `c`')
    expect(template.text({ ...view, subject })).toBe(`${subject}\n`)
  })

  test('takes words that look like Handlebars as words', () => {
    const subject = '{{#each sections}}{{title}}{{/each}} {{{subject}}} &#x3D; &#x60;'
    expect(open().text({ ...view, subject })).toBe(`${subject}\n`)
    expect(open().mjml({ ...view, subject })).toContain(
      '{{#each sections}}{{title}}{{/each}} {{{subject}}} &amp;#x3D; &amp;#x60;',
    )
  })

  test('shares nothing with another one that has a part of the same name', () => {
    write('letter.mjml.hbs', '{{> foot}}')
    write('parts/foot.mjml.hbs', 'first')
    const first = open()
    write('parts/foot.mjml.hbs', 'second')
    expect([first.mjml(view), open().mjml(view)]).toEqual(['first', 'second'])
  })
})
