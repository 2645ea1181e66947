import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { cleanBody } from '../../../src/feeds/markup/clean-body.ts'

const base = 'https://site.example/news/one.html'
const clean = (value: string) => cleanBody({ value, kind: 'html' }, base)
const folder = 'fixtures/bodies'
/** All that a body may hold: text, the fifteen tags, and nothing in them but an address or the numbers of a list. */
const safe =
  /^(?:<\/?(?:p|br|em|i|strong|b|code|blockquote|ul|ol|li|h3|h4)>|<ol(?: start="-?\d+")?(?: type="[aAiI]")?>|<li value="-?\d+">|<a href="https?:\/\/[^"<>]*">|<\/a>|[^<>])*$/

describe('every body becomes its expected value, and nothing else', () => {
  test.each(readdirSync(folder).filter((file) => !file.includes('.expected.')))('%s', (file) => {
    const value = readFileSync(`${folder}/${file}`, 'utf8')
    const { html } = cleanBody({ value, kind: 'perhaps-html' }, base) ?? { html: '' }
    expect(html).toBe(readFileSync(`${folder}/${file.replace('.html', '.expected.html')}`, 'utf8').trimEnd())
    expect(html).toMatch(safe)
    expect(isBalanced(html)).toBe(true)
    expect(clean(html)?.html).toBe(html)
  })
})

test('plain text comes in paragraphs, and what looks like a tag in it is text', () => {
  const value = 'One & <b>two</b>.\nStill one.\n\n  Three.'
  expect(cleanBody({ value, kind: 'text' }, base)?.html).toBe(
    '<p>One &amp; &lt;b&gt;two&lt;/b&gt;. Still one.</p><p>Three.</p>',
  )
})

test('nothing to read is no body', () => {
  for (const value of ['', '<img src="x">', '<p>&nbsp;<br></p>', '<script>alert(1)</script>', '<!-- never closed <p>x'])
    expect(clean(value)).toBeNull()
})

test('what XML closes at once takes nothing away that stands behind it', () => {
  for (const name of ['iframe', 'script', 'object', 'video'])
    expect(clean(`<p>Before.</p><${name} src="x" /><p>Behind.</p>`)?.html).toBe('<p>Before.</p><p>Behind.</p>')
})

describe('a long body', () => {
  const paragraph = `<p>${'A sentence of six short words. '.repeat(30).trim()}</p>`

  test('ends with the last whole paragraph within 8,000 characters, and not with a heading over nothing', () => {
    const body = clean(`${paragraph}<h2>Next</h2>`.repeat(30))
    expect(body?.cut).toBe(true)
    expect(body?.html).toBe(`${paragraph}<h3>Next</h3>`.repeat(8).replace(/<h3>Next<\/h3>$/, ''))
    expect(clean(paragraph.repeat(8))).toEqual({ html: paragraph.repeat(8), cut: false })
  })

  test('that is one paragraph ends with a sentence', () => {
    const body = clean(`<p><b>${'A sentence of six short words. '.repeat(1000)}</b></p>`)
    expect(body?.html).toMatch(/^<p>A sentence .* short words\.<\/p>$/)
    expect(body?.html.length).toBeLessThanOrEqual(8007)
    expect(body?.cut).toBe(true)
  })

  test('of thousands of tiny paragraphs, or of addresses, is cut as well', () => {
    expect(clean('<p>x</p>'.repeat(5000))?.html).toBe('<p>x</p>'.repeat(250))
    const links = clean(`<p><a href="/${'y'.repeat(1900)}">x</a></p>`.repeat(60))
    expect(links?.html.length).toBeLessThan(42_000)
    expect(links?.cut).toBe(true)
  })
})

describe('what is built to hold us up', () => {
  test.each([
    ['200,000 nested tags', '<div>'.repeat(200_000)],
    ['200,000 nested quotes', '<blockquote>'.repeat(200_000)],
    ['200,000 nested tags that others close', '<i>'.repeat(200_000) + '</b>'.repeat(200_000)],
  ])('%s are no body', (_, html) => {
    expect(clean(`<p>x</p>${html}`)).toBeNull()
  })

  test.each([
    ['<', '<'.repeat(1_000_000)],
    ['&', '&'.repeat(1_000_000)],
    ['line breaks', 'x<br> '.repeat(200_000)],
    ['open paragraphs', '<p>x'.repeat(300_000)],
    ['open links', '<a href="x">y'.repeat(199)],
    ['attributes', `<a ${'x=1 '.repeat(300_000)}>y</a>`],
    ['spaces', `x${' '.repeat(1_000_000)}y`],
    ['closing tags', `<p>${'</i>'.repeat(300_000)}x</p>`],
  ])('%s by the thousand are read to their end', (_, html) => {
    expect(clean(html)?.html ?? '').toMatch(safe) // a reader that goes over them again and again takes longer than a test may
  })
})

/** Every element is closed, in order. */
function isBalanced(html: string): boolean {
  const open: string[] = []
  for (const [, closing, name = ''] of html.matchAll(/<(\/?)([a-z]+\d?)/g)) {
    if (name === 'br') continue
    if (!closing) open.push(name)
    else if (open.pop() !== name) return false
  }
  return open.length === 0
}
