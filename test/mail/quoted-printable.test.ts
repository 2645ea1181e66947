import { describe, expect, test } from 'vitest'
import { quotedPrintable } from '../../src/mail/quoted-printable.ts'

const slot = 'slot'.repeat(12)
const key = 'k'.repeat(48)

const encode = (text: string) => Buffer.concat(quotedPrintable(text, slot)).toString('latin1')

/** RFC 2045 §6.7, by the letter: white space before a line end is not part of the text. */
function decode(encoded: string): string {
  const whole = encoded.replace(/[ \t]+(?=\r\n|$)/g, '').replace(/=\r\n/g, '')
  const bytes = whole.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** What must hold of every encoded text, whatever was in it. */
function expectSound(encoded: string): void {
  const lines = encoded.split('\r\n')
  for (const line of lines) {
    expect(line.length, line).toBeLessThanOrEqual(76)
    expect(line).toMatch(/^[\t\x20-\x7e]*$/)
    expect(line).not.toMatch(/[ \t]$|^\.|^From /)
    expect(line.replace(/=([0-9A-F]{2}|$)/g, '')).not.toContain('=')
  }
}

const texts: [string, string][] = [
  ['nothing', ''],
  ['one line', 'Good morning'],
  ['six scripts', 'Größe, Ελλάδα, Москва, עברית, العربية, 日本語 — and 👩‍👩‍👧‍👦'],
  ['a line of 5000 letters', 'x'.repeat(5000)],
  ['a line of 5000 equals signs', '='.repeat(5000)],
  ['a line of 1000 emoji', '😀'.repeat(1000)],
  ['a line of 500 dots', '.'.repeat(500)],
  ['a line of 500 blanks', ' '.repeat(500)],
  ['500 times From', 'From '.repeat(500)],
  ['lines that begin with a dot', '.\n..\n.a\nb.\n\n.\n'],
  ['lines that begin with From', 'From me\nfrom me\n>From me\nFromage\nF\nFr\n'],
  ['blanks at the ends of lines', 'a \nb\t\n \n\t\nc  \t '],
  ['tabs and controls', 'a\tb\0c\u0007d\u001be\u007f'],
  ['what looks encoded already', '=C3=BC =\nx=\n=20\n=\n'],
  ['line ends at both ends', '\n\n\na\n\n\n'],
  ['a boundary', '--lw-slotslot\n--\n'],
]

describe('of any text', () => {
  test.each(texts)('%s: every byte comes back, and no line is longer than 76', (_, text) => {
    const encoded = encode(text)
    expectSound(encoded)
    expect(decode(encoded)).toBe(text.replaceAll('\n', '\r\n'))
  })

  test('the soft and the hard end of a line meet nowhere wrongly: all lengths around the limit', () => {
    for (const end of ['', ' ', '\t', '.', '=', 'ü', 'From x', ' .', '😀'])
      for (let length = 65; length < 82; length++)
        for (const text of [
          `${'x'.repeat(length)}${end}`,
          `${'x'.repeat(length)}${end}\nnext`,
          `${' '.repeat(length)}${end}\n`,
        ]) {
          expectSound(encode(text))
          expect(decode(encode(text))).toBe(text.replaceAll('\n', '\r\n'))
        }
  })

  test.each(['\r\n', '\r', '\n'])('the line end %j becomes the one of mail', (end) => {
    expect(encode(`a${end}b${end}`)).toBe('a\r\nb\r\n')
  })

  test('half a letter does not throw, and the rest comes back', () => {
    expect(decode(encode('a\ud800b'))).toBe('a\ufffdb')
  })
})

describe('around a slot', () => {
  const places: [string, string][] = [
    ['alone', slot],
    ['at the beginning', `${slot} and more\n`],
    ['at the end', `before ${slot}`],
    ['twice without anything between', `${slot}${slot}`],
    ['in many places', `a ${slot} b\n${slot}\n${slot}.${slot} \nFrom ${slot}\n`],
    ['with a dot behind it', `see https://x.example/leave/${slot}.`],
    ['with From behind it', `${slot}From here\n`],
    ['with blanks around it', `  ${slot}  \n\t${slot}\t\n`],
    ['in an attribute', `<a href="https://x.example/leave/${slot}">`],
    ['after a line of 200 letters', `${'x'.repeat(200)}${slot}${'y'.repeat(200)}`],
    ['after other letters', `größe${slot}größe`],
    ['after an equals sign', `?key=${slot}=`],
  ]
  test.each(places)(
    '%s: there is one place for each, and the key in it reads as if it had been written there',
    (_, text) => {
      const pieces = quotedPrintable(text, slot)
      expect(pieces).toHaveLength(text.split(slot).length)
      const filled = pieces.map((piece) => piece.toString('latin1')).join(key)
      expectSound(filled)
      expect(decode(filled)).toBe(text.replaceAll(slot, key).replaceAll('\n', '\r\n'))
      expect(filled.split('\r\n').filter((line) => line.startsWith(key))).toHaveLength(pieces.length - 1)
    },
  )

  test('at every distance from the beginning of a line', () => {
    for (let before = 0; before < 160; before++)
      for (const letter of ['x', '=', ' ', '.', 'é']) {
        const text = `${letter.repeat(before)}${slot}${letter.repeat(before)}\n`
        const filled = quotedPrintable(text, slot)
          .map((piece) => piece.toString('latin1'))
          .join(key)
        expectSound(filled)
        expect(decode(filled)).toBe(text.replace(slot, key).replace('\n', '\r\n'))
      }
  })

  test('no piece depends on what is put there', () => {
    expect(quotedPrintable(`a ${slot} b`, slot).map(String)).toEqual(['a=20=\r\n', '=\r\n b'])
  })

  test('text without the slot is one piece', () => {
    expect(quotedPrintable('a b', slot).map(String)).toEqual(['a b'])
  })
})
