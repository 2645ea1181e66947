import { describe, expect, test } from 'vitest'
import { authorsOf, hasTerms, haveSameTerms } from '../../../src/editions/choice/terms.ts'

describe('two terms', () => {
  test('are the same whatever their case, accents and punctuation, and not where a sign of theirs differs', () => {
    expect(haveSameTerms('Café & Bar', 'CAFE bar')).toBe(true)
    expect(haveSameTerms('Op-Ed', 'op ed')).toBe(true)
    expect(haveSameTerms('C++', 'c++')).toBe(true)
    expect(haveSameTerms('C#', 'C++')).toBe(false)
    expect(haveSameTerms('C', 'C++')).toBe(false)
  })
})

describe('a text has a term', () => {
  test.each([
    ['Vitamin C for all', 'C++', false],
    ['Why C++ stays', 'C++', true],
    ['Horses run free', 'horse', false],
    ['A horse, running', 'Horse running', true],
    ['東京選挙の結果が出ました', '選挙', true],
    ['東京の結果が出ました', '選挙', false],
    ['การเลือกตั้งครั้งใหญ่', 'เลือกตั้ง', true],
    ['Anything', '!!!', false],
  ])('“%s”, “%s”: %s', (text, wanted, has) => {
    expect(hasTerms(text, wanted)).toBe(has)
  })
})

describe('the people of an author line', () => {
  test.each([
    ['Mira Vance', ['Mira Vance']],
    ['By Mira Vance and Tom Hale', ['Mira Vance', 'Tom Hale']],
    ['Mira Vance, Tom Hale & Ann Sand; Bo Lund', ['Mira Vance', 'Tom Hale', 'Ann Sand', 'Bo Lund']],
    ['Anders und Berta', ['Anders', 'Berta']],
    ['Mira Vance, MIRA VANCE', ['MIRA VANCE']],
    ['Sandor Andersson', ['Sandor Andersson']],
    ['', []],
    ['王明、李雷', ['王明', '李雷']],
  ])('“%s” are %j', (line, names) => {
    expect(authorsOf(line)).toEqual(names)
  })
})
