import { describe, expect, test } from 'vitest'
import { cleanBody } from '../../../src/feeds/markup/clean-body.ts'
import { joinSurrogateHalves } from '../../../src/feeds/markup/surrogates.ts'
import { plainText, titleText } from '../../../src/feeds/markup/text.ts'
import { bodyText } from '../../../src/messages/body/body-text.ts'

const line = (value: string) => plainText({ value, kind: 'html' })
const html = (value: string) => cleanBody({ value, kind: 'html' }, 'https://pier.example/')?.html ?? ''
const text = (value: string) => bodyText(html(value))

describe('a text says the same in a line, in HTML and as plain text', () => {
  test.each([
    ['It costs <del>4</del> <ins>5</ins> crowns.', 'It costs 5 crowns.'],
    ['They <s>will</s> <strike>might</strike> may come.', 'They may come.'],
    [
      'Open <span style="color: red; TEXT-DECORATION: underline Line-Through !important">daily</span>, weekly.',
      'Open, weekly.',
    ],
    ['Open <span style="text-decoration:underline">daily</span>.', 'Open daily.'],
    ['Not <s>closed here', 'Not closed here'],
    ['10<sup>6</sup> crates, 5 m<sup>2</sup>, 10<sup>−3</sup>, x<sup>n</sup>', '10⁶ crates, 5 m², 10⁻³, xⁿ'],
    ['2<sup>k+1</sup> and 2<sup>ab</sup>', '2^(k+1) and 2^ab'],
    ['CO<sub>2</sub>, v<sub>max</sub>, x<sub>i</sub>', 'CO₂, v_max, xᵢ'],
    [
      'the 1<sup>st</sup>, le XX<sup>e</sup>, M<sup>me</sup> Ruiz, Rope<sup>TM</sup>',
      'the 1st, le XXe, Mme Ruiz, RopeTM',
    ],
    ['A claim<sup><a href="#n1">1</a></sup> and<sup>[2]</sup>', 'A claim¹ and[2]'],
    ['1<sup>1</sup>/<sub>2</sub> pints', '1¹/₂ pints'],
  ])('%s', (given, expected) => {
    expect(line(given)).toBe(expected)
    expect(text(`<p>${given}</p>`)).toBe(expected)
  })
})

describe('numbers of lists', () => {
  test.each([
    ['<ol start="3"><li>A</li><li value="7">B</li><li>C</li></ol>', '3. A 7. B 8. C'],
    ['<ol reversed><li>A</li><li>B</li></ol>', '2. A 1. B'],
    ['<ol type="a"><li>A</li><li>B</li></ol>', 'a. A b. B'],
    ['<ol type="I" start="4"><li>A</li><li>B</li></ol>', 'IV. A V. B'],
    ['<ol start="x"><li value="1e9">A</li></ol>', '1. A'],
  ])('%s', (given, expected) => {
    expect(text(given).replaceAll('\n', ' ')).toBe(expected)
    expect(text(html(given)).replaceAll('\n', ' ')).toBe(expected)
  })

  test('stay in HTML as attributes of the list and its items', () => {
    expect(html('<ol start="3" class="x"><li value="7" onclick="y">A</li></ol>')).toBe(
      '<ol start="3"><li value="7">A</li></ol>',
    )
    expect(html('<ol reversed><li>A</li><li>B</li></ol>')).toBe(
      '<ol start="2"><li value="2">A</li><li value="1">B</li></ol>',
    )
  })
})

test('the lines of verse and code stay lines, also by style', () => {
  expect(html('<pre>\nOne,\n  two.\n\nThree.\n</pre>')).toBe('<p>One,<br> two.</p><p>Three.</p>')
  expect(html('<pre><code>cd a\r\nmake\r\n</code></pre>')).toBe('<p><code>cd a<br>make</code></p>')
  expect(html('<div style="white-space: pre-wrap">One,\ntwo.</div>\n<p>Not\nthese.</p>')).toBe(
    '<p>One,<br>two.</p><p>Not these.</p>',
  )
})

describe('tables', () => {
  const fares =
    '<table><caption>Fares</caption><thead><tr><th>Who</th><th>Now</th></tr></thead><tr><td><p>Adult</p></td><td>4</td></tr><tr><td>Dog</td><td></td></tr></table>'

  test('of data are lines with their heading, in HTML, plain text and a summary', () => {
    expect(html(fares)).toBe('<p><strong>Fares</strong><br><strong>Who · Now</strong><br>Adult · 4<br>Dog</p>')
    expect(text(fares)).toBe('Fares\nWho · Now\nAdult · 4\nDog')
    expect(line(fares)).toBe('Fares; Who · Now; Adult · 4; Dog')
  })

  test('repeat a cell that reaches over rows, and keep empty cells in their column', () => {
    const given =
      '<table><tr><td rowspan="2">2026</td><td>May</td></tr><tr><td>June</td></tr><tr><td></td><td>Nil</td></tr></table>'
    expect(text(given)).toBe('2026 · May\n2026 · June\n– · Nil')
  })

  test('keep links, and lose what is struck out', () => {
    expect(html('<table><tr><td><a href="/a">A</a></td><td><del>1</del> 2</td></tr></table>')).toBe(
      '<p><a href="https://pier.example/a">A</a> · 2</p>',
    )
  })

  test.each([
    '<table role="presentation"><tr><td>One.</td><td>Two.</td></tr></table>',
    `<table><tr><td>${'One. '.repeat(60).trim()}</td><td>Two.</td></tr></table>`,
    '<table><tr><td><h2>One.</h2></td><td>Two.</td></tr></table>',
    '<table><tr><td><img src="x"></td><td>Two.</td></tr></table>',
    '<table><tr><td>One.</td><td><table><tr><td>Two.</td></tr></table></td></tr></table>',
  ])('that only place things on a page come as paragraphs: %s', (given) => {
    expect(html(given)).not.toContain(' · ')
    expect(html(given)).toContain('Two.')
  })
})

test.each([
  '<div id="ez-toc-container"><p>Contents</p><ul><li>One</li></ul></div>',
  '<div class="wp-block-table-of-contents"><ul><li>One</li></ul></div>',
  '<div class="subscription-widget-wrap"><p>Our letter is good.</p></div>',
  '<div class="sharedaddy sd-sharing-enabled"><h3>Share</h3></div>',
  '<p><a class="more-link" href="x">On to the pier</a></p>',
  '<p>Subscribe now</p>',
  '<p><a href="https://pier.example/share">Share</a></p>',
])('what a page puts around an article is in no whole text: %s', (given) => {
  expect(html(`<p>Before.</p>${given}<p>After.</p>`)).toBe('<p>Before.</p><p>After.</p>')
})

test('a whole text ends before credits and links to read on', () => {
  expect(html('<p>The end.</p><p>Der Beitrag <a href="/a">A</a> erschien zuerst auf <a href="/">Pier</a>.</p>')).toBe(
    '<p>The end.</p>',
  )
  expect(html('<p>The end … <a href="/a">Continue reading</a></p>')).toBe('<p>The end …</p>')
  expect(html('<p>She told them to read on.</p>')).toBe('<p>She told them to read on.</p>')
})

describe('escaped tags', () => {
  test.each([
    ['Why the &lt;p&gt; element matters', 'Why the <p> element matters'],
    ['The <code>&lt;img&gt;</code> of the town', 'The <img> of the town'],
    ['From &lt;/table&gt; to grid', 'From </table> to grid'],
    ['A &lt;em&gt;late&lt;/em&gt; ferry', 'A late ferry'],
    ['&lt;p&gt;Late.&lt;/p&gt;', 'Late.'],
    ['One.&lt;br&gt;Two.', 'One. Two.'],
    ['<p>Write &lt;b&gt;x&lt;/b&gt;.</p>', 'Write <b>x</b>.'],
  ])('%s', (given, expected) => {
    expect(titleText({ value: given, kind: 'html' }, 500)).toBe(expected)
  })

  test('in the title of a feed that does not say its kind are words where they mark nothing', () => {
    const title = (value: string) => titleText({ value, kind: 'perhaps-html' }, 500)
    expect(title('Why the <p> element matters')).toBe('Why the <p> element matters')
    expect(title('A <i>late</i> ferry')).toBe('A late ferry')
    expect(title('Tom &amp; Ann')).toBe('Tom & Ann')
  })
})

test('a character in two numeric halves is one; half of one is not a character', () => {
  expect(line(joinSurrogateHalves('Fair &#55356;&#57249; &#xD83D;&#xDE00;'))).toBe('Fair 🎡 😀')
  expect(joinSurrogateHalves('&amp;#55357;&amp;#56832;')).toBe('&amp;#128512;')
  expect(joinSurrogateHalves('&#55356; &#57249;')).toBe('&#55356; &#57249;')
  expect(joinSurrogateHalves('&#56832;&#55357;')).toBe('&#56832;&#55357;')
})
