import { expect, test } from 'vitest'
import { foldText } from '../../src/mail/fold-text.ts'

const words = 'eleven little councils '.repeat(8).trim()

test('a long line is folded between words, and no line is longer than 74', () => {
  const lines = foldText(words).trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(2)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(74)
  expect(lines.join(' ')).toBe(words)
})

test('an address is never broken, and stands on its own line if it does not fit', () => {
  const url = `https://example.org/${'a'.repeat(90)}`
  expect(foldText(`Unsubscribe at the page: ${url}`)).toBe(`Unsubscribe at the page:\n${url}\n`)
})

test('an indent or a bullet carries over to the lines that follow', () => {
  expect(
    foldText(`  ${words}`)
      .trimEnd()
      .split('\n')
      .slice(1)
      .every((line) => /^ {2}\S/.test(line)),
  ).toBe(true)
  expect(foldText(`- ${words}`)).toMatch(/^- \S.*\n {2}\S/)
})

test('never more than one empty line, none at the start, one break at the end', () => {
  expect(foldText('\n\n\none\n\n\n\ntwo  \n\n\n')).toBe('one\n\ntwo\n')
})
