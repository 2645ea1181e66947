import { describe, expect, test } from 'vitest'
import { cleanBody } from '../../../src/feeds/markup/clean-body.ts'
import { summaryText } from '../../../src/feeds/markup/summary.ts'
import { plainText } from '../../../src/feeds/markup/text.ts'
import { readInWorker } from '../../../src/feeds/parse/reader-pool.ts'

const hiding = [
  'hidden',
  'HIDDEN=""',
  'hidden="until-found"',
  'style="display:none"',
  "style='color: red; DISPLAY : none !important; display: block'",
  'style=display:none',
  'style="/* x */display:none"',
  'title="a > b" style="visibility:hidden"',
  'style="visibility: collapse"',
  'style="font-size:0"',
  'style="font-size: 0.0em;"',
  'style="font: 0/0 a"',
  'style="opacity:0"',
  'style="opacity: .0"',
  'style="max-height:0;overflow:hidden"',
  'style="position:absolute;left:-9999px"',
  'style="text-indent:-9999px"',
  'style="position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0,0,0,0)"',
  'style="mso-hide:all"',
  'class="note screen-reader-text"',
  'class="sr-only"',
  'class="u-visually-hidden"',
  'class="Show-For-SR"',
  'style="height:0"',
  'style=" WIDTH : 0px ! important "',
]

const shown = [
  'title="hidden"',
  'title=" style=&quot;display:none&quot; hidden "',
  'data-hidden="1"',
  'style="display:block"',
  'style="display:none;display:block"',
  'style="font-size:0.9em"',
  'style="font: 300 14px/0 serif"',
  'style="opacity:0.5"',
  'style="overflow:hidden;height:100px"',
  'style="left:-9999px"',
  'aria-hidden="true"',
  'class="not-sr-only unhidden"',
  'style="height:0.5em"',
]

const around = (attributes: string) =>
  `<p>Before.</p><div ${attributes}><p>Secret <b>words</b>.</p></div><p>Behind.</p>`
const body = (value: string) => cleanBody({ value, kind: 'html' }, 'https://site.example/')?.html

describe('text that no reader sees is neither in a body nor in a summary', () => {
  test.each(hiding)('%s', (attributes) => {
    expect(body(around(attributes))).toBe('<p>Before.</p><p>Behind.</p>')
    expect(body(`<p>Before.</p><p ${attributes}>Secret.<p>Behind.</p>`)).toBe('<p>Before.</p><p>Behind.</p>')
    expect(body(`<p>One <span ${attributes}>secret</span> two.</p>`)).toBe('<p>One two.</p>')
    expect(summaryText({ value: around(attributes), kind: 'perhaps-html' })).toBe('Before. Behind.')
    expect(plainText({ value: `One <span ${attributes}>secret</span> two</b>`, kind: 'perhaps-html' })).toBe('One two')
  })
})

describe('text that is shown stays', () => {
  test.each(shown)('%s', (attributes) => {
    const whole = '<p>Before.</p><p>Secret <b>words</b>.</p><p>Behind.</p>'
    expect(body(around(attributes))).toBe(whole)
    expect(summaryText({ value: around(attributes), kind: 'html' })).toBe('Before. Secret words. Behind.')
  })
})

test('a child may be seen, or have a size of its own, in one that is not; nothing is seen in what is not drawn', () => {
  const inside = (outer: string, inner: string) => `<div style="${outer}">A<p style="${inner}">B</p></div><p>C</p>`
  expect(body(inside('font-size:0px', 'font-size:13px'))).toBe('<p>B</p><p>C</p>')
  expect(body(inside('font-size:0px', 'font-size:90%'))).toBe('<p>C</p>')
  expect(body(inside('visibility:hidden', 'visibility:visible'))).toBe('<p>B</p><p>C</p>')
  expect(body(inside('display:none', 'display:block'))).toBe('<p>C</p>')
  expect(plainText({ value: inside('font-size:0px', 'font-size:13px'), kind: 'html' })).toContain('B')
})

test('what is empty, or closed at once, hides nothing behind it', () => {
  for (const tag of ['<br hidden>', '<img style="display:none" src="x">', '<hr class="sr-only">', '<span hidden/>'])
    expect(body(`<p>Before.${tag} Behind.</p>`)?.replace('<br>', '')).toMatch(/Before\..*Behind\./)
  expect(plainText({ value: '<p>Before.<img hidden> Behind.</p>', kind: 'html' })).toBe('Before. Behind.')
})

test('of a page what is hidden is left out of its text and its summary', async () => {
  const words = 'The people who live by the water said that they had waited for it, and that they would wait again. '
  const paragraph = `<p>${words.repeat(4)}</p>`
  const secrets = hiding.map((attributes) => `<div ${attributes}><p>SECRET ${words}</p></div>`).join('')
  const html = `<html><head></head><body style="opacity:0"><article><h1>Ferry</h1>${secrets}${paragraph.repeat(3)}</article></body></html>`
  const context = { url: 'https://site.example/a', contentType: 'text/html; charset=utf-8' }
  const text = await readInWorker('text', Buffer.from(html), context)
  expect(JSON.stringify(text)).toContain('The people who live by the water')
  expect(JSON.stringify(text)).not.toContain('SECRET')
})

test('hides within hides are read once: forty thousand of them take no minutes', () => {
  const nested = '<div style="font-size:0">'.repeat(40_000) + '<i hidden>x'.repeat(40_000)
  expect(plainText({ value: `${nested}</p>`, kind: 'html' })).toBe('')
  expect(body(nested)).toBeUndefined() // nested too deep
  expect(body('<i hidden>x</i><p style="font-size:0">y</p>'.repeat(5000))).toBeUndefined()
})
