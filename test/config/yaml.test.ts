import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseYaml, readYaml, validateYaml } from '../../src/config/yaml.ts'
import { AppError } from '../../src/errors.ts'
import { inProcess } from '../support/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'lastword-yaml-'))
afterAll(() => rmSync(folder, { recursive: true }))

function refusal(work: () => unknown): AppError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('it was accepted')
}

function fileOf(content: string | Buffer): string {
  const file = join(folder, 'some.yml')
  writeFileSync(file, content)
  return file
}

describe('a file that cannot be read', () => {
  test('and does not exist is missing', () => {
    const file = join(folder, 'none.yml')
    expect(refusal(() => readYaml(file))).toMatchObject({ code: 'missing', message: `${file} does not exist` })
  })

  test('because it is a folder is invalid, with the reason of the system', () => {
    expect(refusal(() => readYaml(folder))).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/cannot be read: EISDIR/),
    })
  })

  test('in Latin-1 is refused at the line of its first strange byte, and not read with holes in it', () => {
    const file = fileOf(Buffer.from('name: Press\ntagline: caf\xe9\n', 'latin1'))
    expect(refusal(() => readYaml(file)).message).toBe(
      `${file}:2: expected UTF-8, found a character in another encoding`,
    )
  })

  test('in UTF-16 is refused', () => {
    expect(refusal(() => readYaml(fileOf(Buffer.from('\ufeffname: Press\n', 'utf16le')))).message).toContain('UTF-8')
  })
})

test('a UTF-8 byte order mark and Windows line ends change nothing', () => {
  const written = readYaml(fileOf('\ufeffname: Größe\r\nlist:\r\n  - one\r\n'))
  expect(written.data).toEqual({ name: 'Größe', list: ['one'] })
  expect(written.where(['list', 0])).toMatch(/some\.yml:3$/)
})

test.each(['', '\n\n', '# nothing but a comment\n', '---\n', 'null\n', '~'])(
  'the empty file %j is an empty mapping, not an error',
  (text) => {
    expect(parseYaml(text, 'f').data).toEqual({})
  },
)

describe('text that is not YAML', () => {
  test.each([
    ['an open bracket', 'a: 1\nb: [1, 2\nc: 3\n', /^f:[23]: .*sequence/],
    ['a tab for indentation', 'a:\n\tb: 1\n', /^f:2: Tabs are not allowed as indentation/],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', /^f:3: Map keys must be unique$/],
    ['an inner key twice', 'a:\n  b: 2\n  c: 1\n  b: 3\n', /^f:4: Map keys must be unique$/],
    ['a second document', 'a: 1\n---\nb: 2\n', /^f:2: expected one document, found a second$/],
    ['an alias to nothing', 'a: 1\nb: *nobody\n', /^f:2: Unresolved alias .*nobody. If it is text, put it in quotes$/],
  ])('with %s is refused with file and line', (_, text, message) => {
    expect(refusal(() => parseYaml(text, 'f'))).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    })
  })

  test.each([
    ['title: Kiln: the weekly\n', 'title: "Kiln: the weekly"'],
    ['a: 1\nschedule: */5 * * * *   # often\n', 'schedule: "*/5 * * * *"'],
    ['schedule: * * * * *\n', 'schedule: "* * * * *"'],
    ['subject: {lead} · {title}\n', 'subject: "{lead} · {title}"'],
    ['subject: "{lead}": now\n', `subject: '"{lead}": now'`],
    ['sections:\n  - title: Sport: all of it\n    name: sport\n', 'title: "Sport: all of it"'],
    ['name: @harbour\n', 'name: "@harbour"'],
    ['name: "Harbour" Notes\n', `name: '"Harbour" Notes'`],
    ['from: { name: Kiln: Weekly, address: a@b.example }\n', '"Kiln: Weekly"'],
  ])('because quotes are missing, as in %j, is answered with what to write, and once', (text, written) => {
    const { message } = refusal(() => parseYaml(text, 'f'))
    expect(message).toMatch(/^f:\d: this text needs quotes/)
    expect(message.endsWith(`Write: ${written}`), message).toBe(true)
    expect(message.split('\n')).toHaveLength(1)
    expect(parseYaml(written, 'f').data).not.toEqual({})
  })

  test.each([
    'relay:\n  password: @hunter2\n',
    'relay:\n  password: hunter2: x\n',
    'relay:\n  password: *hunter2\n',
    'relay:\n  password: |hunter2 x\n',
    'relay: { password: hunter2: x }\n',
    'secret: "hunt"er2\n',
    'url: postgres://a:hunter2@b/c: d\n',
  ])('in a place for a secret, %j, is refused without the secret', (text) => {
    const { message } = refusal(() => parseYaml(text, 'f'))
    expect(message).toMatch(/^f:[12]: .*quotes/)
    expect(message).not.toMatch(/hunt|er2/)
  })

  test('a value on a line of its own is no matter of quotes', () => {
    expect(refusal(() => parseYaml('a: b\n  c: d\n', 'f')).message).not.toContain('quotes')
  })

  test('with a merge conflict in it is refused with the lines of each, and nothing else', () => {
    const conflict = '<<<<<<< HEAD\nb: 2\n||||||| base\n=======\nb: 3\n>>>>>>> main\n'
    const { message } = refusal(() => parseYaml(`a: 1\n${conflict}c: 1\n${conflict}`, 'f'))
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/^f:2: lines 2 to 7 contain a merge conflict of git: keep one/),
      expect.stringMatching(/^f:9: lines 9 to 14 contain a merge conflict/),
    ])
    expect(parseYaml('a: |\n  <<<<<<< HEAD\n  =======\n  >>>>>>> main\n', 'f').data).toHaveProperty('a')
  })

  test('with two faults is refused with both', () => {
    const { message } = refusal(() => parseYaml('a: 1\na: 2\nb: 1\nb: 2\n', 'f'))
    expect(message).toBe('f:2: Map keys must be unique\nf:4: Map keys must be unique')
  })

  test('in which aliases multiply to a billion is refused, and is no fault of ours', () => {
    const nine = (name: string) => Array(9).fill(name).join(', ')
    const bomb = [...'bcdefghi'].map((key, index) => `${key}: &${key} [${nine(`*${'abcdefgh'[index]}`)}]`)
    const { message } = refusal(() => parseYaml(`a: &a [${nine('lol')}]\n${bomb.join('\n')}\n`, 'f'))
    expect(message).toMatch(/^f: Excessive alias count/)
  })

  test('nested deeper than any stack is refused in a few lines', () => {
    const { message } = refusal(() => parseYaml('['.repeat(50_000), 'f'))
    expect(message.split('\n').length).toBeLessThan(10)
  })
})

test('an alias gives its value, and a problem in it is shown at the key that uses it', () => {
  const written = parseYaml('one: &it\n  port: 1\ntwo:\n  three: *it\n', 'f')
  expect(written.data).toEqual({ one: { port: 1 }, two: { three: { port: 1 } } })
  expect(written.where(['two', 'three', 'port'])).toBe('f:4')
})

test('a key called __proto__ is a key like any other', () => {
  const { data } = parseYaml('__proto__:\n  admin: true\n', 'f')
  expect(({} as { admin?: boolean }).admin).toBeUndefined()
  expect(Object.keys(data as object)).toEqual(['__proto__'])
  expect((data as { admin?: boolean }).admin).toBeUndefined()
})

test('a key that is no text warns nobody of the insides of a library', async () => {
  const printed = await inProcess(`
    import { parseYaml } from './src/config/yaml.ts'
    process.on('warning', (warning) => console.log(warning.message))
    parseYaml('? [a, b]\\n: c\\n', 'f')
    await new Promise((resolve) => setImmediate(resolve))`)
  expect(printed).toBe('')
})

describe('the place of a value', () => {
  const text = 'top:\n  list:\n    - name: a\n\n    - # a comment\n      name: b\n  7: seven\n'
  const { where } = parseYaml(text, 'f')
  test.each([
    [[], 'f:1'],
    [['top', 'list', 0, 'name'], 'f:3'],
    [['top', 'list', 1, 'name'], 'f:6'],
    [['top', '7'], 'f:7'],
    [['top', 'absent', 'deeper'], 'f:1'],
    [['top', 'list', 1, 'absent'], 'f:6'],
    [['top', 'list', 9], 'f:2'],
  ])('%j is %s', (path, place) => {
    expect(where(path)).toBe(place)
  })

  test('in an empty file is the file', () => {
    expect(parseYaml('', 'f').where(['a'])).toBe('f')
  })
})

describe('a check', () => {
  const schema = z.strictObject({
    name: z.string().min(1),
    list: z.array(z.strictObject({ port: z.number() })).default([]),
  })
  const check = (text: string, found?: string[]) => validateYaml(parseYaml(text, 'f'), schema, found)

  test('gives what was written, with defaults', () => {
    expect(check('name: x\n')).toEqual({ name: 'x', list: [] })
  })

  test('names every problem at its line, counting lists from one as people do', () => {
    const { message } = refusal(() => check('nmae: x\nlist:\n  - port: 1\n  - port: high\n    prt: 2\n    pot: 3\n'))
    expect(message.split('\n')).toEqual([
      'f:1: name: is missing: expected text',
      'f:4: list[2].port: expected a number, found text',
      'f:5: list[2]: unknown key "prt"',
      'f:6: list[2]: unknown key "pot"',
      'f:1: unknown key "nmae"',
    ])
  })

  test.each([
    ['name:\n', 'f:1: name: expected text, found nothing'],
    ['name: 5\n', 'f:1: name: expected text, found 5'],
    ['name: [x]\n', 'f:1: name: expected text, found a list'],
    ['name: {a: b}\n', 'f:1: name: expected text, found keys and values'],
    ['name: x\nlist: y\n', 'f:2: list: expected a list, found text'],
    ['- name\n', 'f:1: expected keys and values, found a list'],
  ])('says of %j what was expected and what was found', (text, message) => {
    expect(refusal(() => check(text)).message).toBe(message)
  })

  test('shows a problem of its caller before its own, and refuses for that alone', () => {
    expect(refusal(() => check('name: ""\n', ['mine'])).message).toMatch(/^mine\nf:1: name: /)
    expect(refusal(() => check('name: x\n', ['mine'])).message).toBe('mine')
  })
})
