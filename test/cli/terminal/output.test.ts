import { describe, expect, test } from 'vitest'
import { explainError, formatTable, sanitizeLine } from '../../../src/cli/terminal/output.ts'
import { AppError } from '../../../src/errors.ts'
import { StoreError } from '../../../src/store/drivers/failure.ts'
import { inProcess } from '../../support/processes.ts'

describe('a table', () => {
  test('has columns of equal width and no blanks at the ends of its lines', () => {
    expect(
      formatTable([
        ['digest', 'due', 'x'],
        ['a', '2026', ''],
      ]),
    ).toBe('digest  due   x\na       2026')
  })

  test('keeps its columns where a row in between is short', () => {
    expect(formatTable([['a', 'wide one', 'c'], ['b'], ['longer', 'd', 'e']])).toBe(
      'a       wide one  c\nb\nlonger  d         e',
    )
  })

  test('of nothing is nothing', () => {
    expect([formatTable([]), formatTable([[]]), formatTable([['', '']])]).toEqual(['', '', ''])
  })
})

describe('an error of ours to a person', () => {
  test('is one line, and the hint under it', () => {
    expect(explainError(new AppError('missing', 'x.yml does not exist'))).toBe('lastword: x.yml does not exist')
    expect(explainError(new AppError('missing', 'x.yml does not exist', { hint: 'Copy it.' }))).toBe(
      'lastword: x.yml does not exist\nCopy it.',
    )
  })

  test('with several problems begins each on a line of its own', () => {
    expect(explainError(new AppError('invalid', 'a.yml:1: no\na.yml:2: no'))).toBe(
      'lastword:\na.yml:1: no\na.yml:2: no',
    )
  })

  test('shows no stack, and nothing that a file or a server wrote can command the terminal', () => {
    const error = new AppError('invalid', 'only \u001b[2Jname\u0007,\r\u202ecity\nand \u009bmore', {
      hint: 'see \u001b]0;x\u0007',
    })
    const text = explainError(error)
    expect(text).toBe('lastword:\nonly  [2Jname ,  city\nand  more\nsee  ]0;x ')
  })
})

test("a database that is away is nobody's fault, whatever failed because of it while things were closed", () => {
  const away = new StoreError('unreachable', { server: 'db.example:5432' }, new Error('connect ECONNREFUSED'))
  const words = /^lastword: the database cannot be reached: db\.example:5432: connect ECONNREFUSED\nIs the PostgreSQL/
  for (const thrown of [
    away,
    new Error('in other words', { cause: away }),
    new SuppressedError(away, new Error('first')),
  ])
    expect(explainError(thrown)).toMatch(words)
})

describe('an error that is our fault', () => {
  test('says so, with its stack, and asks for a report', () => {
    const text = explainError(new TypeError('x is not a function'))
    expect(text).toMatch(/^lastword: internal error: TypeError: x is not a function\n {4}at /)
    expect(text).toContain('please report it')
  })

  test.each([['words'], [undefined], [null], [42], [{}]])('may be anything that was thrown: %j', (thrown) => {
    expect(explainError(thrown)).toMatch(/^lastword: internal error: /)
  })
})

describe('text from outside', () => {
  test('loses every control character', () => {
    for (let code = 0; code < 0xa0; code++) {
      const kept = code >= 0x20 && code < 0x7f
      expect(sanitizeLine(String.fromCharCode(code)), `U+${code.toString(16)}`).toBe(
        kept ? String.fromCharCode(code) : ' ',
      )
    }
  })

  test.each(['\u2028', '\u2029', '\u202a', '\u202e', '\u2066', '\u2069'])(
    'loses %j, which turns lines or their direction',
    (mark) => {
      expect(sanitizeLine(`a${mark}b`)).toBe('a b')
    },
  )

  test('keeps letters of every script and emoji', () => {
    const text = 'Größe Ελλάδα Москва עברית العربية 日本語 👩‍👩‍👧‍👦'
    expect(sanitizeLine(text)).toBe(text)
  })
})

test('answers go to stdout, one a line, and nothing else does', async () => {
  const printed = await inProcess(`
    import { print, printJson, printStderr } from './src/cli/terminal/output.ts'
    print('one')
    printStderr('for the person')
    printJson({ two: 'lines\\nin one', none: undefined })
    print('')
    print('end')`)
  expect(printed).toBe('one\n{"two":"lines\\nin one"}\n\nend')
})

test('whatever is printed, it commands no terminal, and JSON stays what it was', async () => {
  const printed = await inProcess(`
    import { print, printJson } from './src/cli/terminal/output.ts'
    const hostile = '\\u001b[2J\\u009b31m\\u007f\\u202e'
    print('a\\tb ' + hostile + '\\nc')
    printJson({ hostile })`)
  const [first, second, third, ...others] = printed.split('\n')
  expect([first, second, others]).toEqual(['a\tb  [2J 31m  ', 'c', []])
  expect(third).toBe(String.raw`{"hostile":"\u001b[2J\u009b31m\u007f\u202e"}`)
})
