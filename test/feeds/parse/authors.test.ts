import { describe, expect, test } from 'vitest'
import { authorLine, authorStyle } from '../../../src/feeds/parse/article/authors.ts'
import { personName } from '../../../src/feeds/parse/person-name.ts'

test.each([
  ['By Ines Bahr', 'Ines Bahr'],
  ['Von Ines Bahr', 'Ines Bahr'],
  ['Von Bahr', 'Von Bahr'],
  ['desk@quay.example (Ines Bahr)', 'Ines Bahr'],
  ['private (ines)', 'ines'],
  ['Ines Bahr (@ines)', 'Ines Bahr'],
  ['@ines', 'ines'],
  ['Ines Bahr https://quay.example/ines', 'Ines Bahr'],
  ['李雷;', '李雷'],
  ['記者：李雷', '李雷'],
  ['李雷、韩梅', '李雷, 韩梅'],
  ['김서연 기자', '김서연'],
  ['Site Admin', ''],
  ['webmaster', ''],
  ['noreply@quay.example (No-Reply Quay)', ''],
  ['The Editorial Team', ''],
  ['Editor', ''],
  ['Adminah Stone', 'Adminah Stone'],
  ['Editha Staff', 'Editha Staff'],
])('the author %s is %s', (text, name) => {
  expect(personName(text)).toBe(name)
})

describe('the authors of a feed', () => {
  const cases: [string, string[], string[]][] = [
    ['with the surname first in one line', ['Bahr, Ines, Sund, Ole'], ['Ines Bahr, Ole Sund']],
    [
      'with the surname first, each apart',
      ['Bahr, Ines; van der Sund, Ole', 'Roy, A.'],
      ['Ines Bahr, Ole van der Sund', 'A. Roy'],
    ],
    ['with the given name first', ['Ines Bahr, Ole Sund', 'Ines Bahr'], ['Ines Bahr, Ole Sund', 'Ines Bahr']],
    ['with words in one line and whole names in others', ['Ines, Ole', 'Ines Bahr'], ['Ines, Ole', 'Ines Bahr']],
    ['with a title after the name', ['Bahr, PhD', 'Ines Bahr, MD'], ['Bahr, PhD', 'Ines Bahr, MD']],
    ['with a company', ['Quay Media, Inc.'], ['Quay Media, Inc.']],
    ['with the name of the site', ['Quay News', 'Ines Bahr'], ['', 'Ines Bahr']],
    ['named twice', ['Ines Bahr; Ines Bahr'], ['Ines Bahr']],
  ]

  test.each(cases)('%s: %j', (_, lines, names) => {
    const style = authorStyle(lines, ['Quay News', 'quay.example'])
    expect(lines.map((line) => authorLine(line, style))).toEqual(names)
  })

  test('keep the name of the only author, after whom the feed is called', () => {
    const style = authorStyle(['INES BAHR', 'Ines Bahr'], ['Ines Bahr'])
    expect(authorLine('INES BAHR', style)).toBe('INES BAHR')
  })
})
