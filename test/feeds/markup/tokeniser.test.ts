import { describe, expect, test } from 'vitest'
import { type Dialect, Tokeniser } from '../../../src/feeds/markup/tokeniser.ts'

/** Each piece as it is written, behind what it is: `open a`, `closed br`, `text`. */
function piecesOf(text: string, dialect: Dialect): string[] {
  const tokens = new Tokeniser(text, dialect)
  const pieces: string[] = []
  for (let token = tokens.next(); token; token = tokens.next()) {
    const kind = token.unfinished ? `unfinished ${token.kind}` : token.closed ? 'closed' : token.kind
    pieces.push(`${kind}${token.name && ` ${token.name}`}: ${text.slice(token.start, token.end)}`)
  }
  return pieces
}

function attributesOf(tag: string, dialect: Dialect = 'xml') {
  const tokens = new Tokeniser(tag, dialect)
  const token = tokens.next()
  return token && { ...tokens.attributes(token) }
}

describe('markup in both dialects', () => {
  test.each<[string, string[]]>([
    ['a<B>b</B>', ['text: a', 'open B: <B>', 'text: b', 'close B: </B>']],
    ['a < b << 3', ['text: a < b << 3']],
    ['<br/><br />', ['closed br: <br/>', 'closed br: <br />']],
    ['<a b="x>y" c=\'>\'>z', ['open a: <a b="x>y" c=\'>\'>', 'text: z']],
    [`<p it's>don't</p>`, [`open p: <p it's>`, "text: don't", 'close p: </p>']],
    ['<!-- <a> -->x<!-->y', ['comment: <!-- <a> -->', 'text: x', 'comment: <!-->', 'text: y']],
    ['<!doctype html><a>', ['comment: <!doctype html>', 'open a: <a>']],
    ['<a', []],
  ])('%s', (text, pieces) => {
    expect(piecesOf(text, 'xml')).toEqual(pieces)
    expect(piecesOf(text, 'html')).toEqual(pieces)
  })
})

describe('markup as XML, where what never ends costs its own mark', () => {
  test.each<[string, string[]]>([
    ['<a b="x>y<c>', ['open a: <a b="x>', 'text: y', 'open c: <c>']],
    ['<a b="x>y" <c>', ['open a: <a b="x>', 'text: y" ', 'open c: <c>']],
    ['<a b=c/>', ['closed a: <a b=c/>']],
    ['<![CDATA[<a>]]>b', ['cdata: <![CDATA[<a>]]>', 'text: b']],
    ['<![CDATA[<a>', ['unfinished cdata: <![CDATA[<a>']],
    ['a</ite', ['text: a', 'unfinished close ite: </ite']],
    ['<!-- <a>', ['comment: <!--', 'text:  ', 'open a: <a>']],
    ['<?a?><? <b>', ['comment: <?a?>', 'comment: <?', 'text:  ', 'open b: <b>']],
    ['<!DOCTYPE a [<!ENTITY b "<c>">] ><d>', ['comment: <!DOCTYPE a [<!ENTITY b "<c>">] >', 'open d: <d>']],
    ['</ a><_a>', ['text: </ a>', 'open _a: <_a>']],
    ['<a<b c>', ['open a: <a', 'open b: <b c>']],
  ])('%s', (text, pieces) => {
    expect(piecesOf(text, 'xml')).toEqual(pieces)
  })
})

describe('markup as HTML, where what never ends takes the rest with it', () => {
  test.each<[string, string[]]>([
    ['<a b="<i>x</i>">c', ['open a: <a b="<i>x</i>">', 'text: c']],
    [`<a b="x>${'y'.repeat(3000)}">c`, ['open a: <a b="x>', `text: ${'y'.repeat(3000)}">c`]],
    ['<a b=c/>', ['open a: <a b=c/>']],
    ['a<!-- <a>', ['text: a']],
    ['<![CDATA[a]]>b', ['comment: <![CDATA[a]]>', 'text: b']],
    ['</ a><_a>', ['comment: </ a>', 'text: <_a>']],
  ])('%s', (text, pieces) => {
    expect(piecesOf(text, 'html')).toEqual(pieces)
  })
})

describe('attributes', () => {
  test.each<[string, object]>([
    ['<a b="1" C=\'2\' d=3 e>', { b: '1', c: '2', d: '3', e: '' }],
    ['<a b = " 1 " b=2>', { b: '1' }],
    ['<a b="1"c="2">', { b: '1', c: '2' }],
    ['<a href=http://a.example/?b=c>', { href: 'http://a.example/?b=c' }],
    ['<a href=http://a.example" rel="self"/>', { href: 'http://a.example', rel: 'self' }],
    ['<a b="http://a.example/>', { b: 'http://a.example' }],
    ['<a b="&amp;copy;&lt;"/>', { b: '&copy;<' }],
    ['<a __proto__="1">', Object.fromEntries([['__proto__', '1']])],
    [`<a b="${'x'.repeat(70_000)}">`, {}],
  ])('%s', (tag, attributes) => {
    expect(attributesOf(tag)).toEqual(attributes)
  })

  test('an entity without its semicolon is one in HTML alone, and not before a letter or =', () => {
    expect(attributesOf('<a b="&amp c&copy=d">', 'html')).toEqual({ b: '& c&copy=d' })
    expect(attributesOf('<a b="&amp c&copy=d">', 'xml')).toEqual({ b: '&amp c&copy=d' })
  })
})

test('the content of a script is passed up to its end tag, and to the end of the text where it has none', () => {
  const rest = (text: string) => {
    const tokens = new Tokeniser(text, 'html')
    tokens.next()
    tokens.passContent('script')
    return text.slice(tokens.at)
  }
  expect(rest('<script>"<a>" < 1</SCRIPT >b')).toBe('</SCRIPT >b')
  expect(rest('<script>a</style>')).toBe('')
})

test('an element ends at its own end tag, those inside it counted, and a paragraph where the next begins', () => {
  const inside = (text: string, name: string) => {
    const tokens = new Tokeniser(text, 'html')
    const start = tokens.next()?.end
    return text.slice(start, tokens.endOfElement(name))
  }
  expect(inside('<div>a<div>b</div><div/><!-- </div> -->c</div>d', 'div')).toBe('a<div>b</div><div/><!-- </div> -->c')
  expect(inside('<p>a<p>b</p>', 'p')).toBe('a')
  expect(inside('<b>a', 'b')).toBe('a')
})
