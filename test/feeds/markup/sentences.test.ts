import { describe, expect, test } from 'vitest'
import { firstWords, wholeSentences } from '../../../src/feeds/markup/sentences.ts'

const first = 'The harbour board met on Tuesday.'

describe('a text is cut where a sentence ends', () => {
  /** The room ends at the `|`. */
  test.each([
    ['at the last that fits', `${first} It sat for an hour. It will| meet again.`, `${first} It sat for an hour.`],
    ['not after a title', `${first} It was chaired by Dr. Okafor of| the university.`, first],
    ['not after letters that stand for words', `${first} It meets the U.S. Ambassador| on Friday.`, first],
    ['not after an initial', `${first} It was chaired by H. Okafor| of the university.`, first],
    ['not in words of another', `${first} “Is it over?” he asked the chair| at the end.`, first],
    ['with the quotation mark', `${first} “It is over.” The board| rose at once.`, `${first} “It is over.”`],
    ['not in a number', `${first} The tide stood at 3.|5 metres.`, first],
    ['in Hindi', 'बोर्ड की बैठक मंगलवार को हुई। और यह| एक घंटे तक चली।', 'बोर्ड की बैठक मंगलवार को हुई।'],
    ['in Chinese', '港务局星期二开会。会议开了|一个小时，没有结果。', '港务局星期二开会。'],
    [
      'or else at a word',
      'The harbour board met on Tuesday, sat fo|r long and rose.',
      'The harbour board met on Tuesday, sat …',
    ],
  ])('%s', (_, text, cut) => {
    expect(wholeSentences(text.replace('|', ''), text.indexOf('|'))).toBe(cut)
  })

  test('and stays whole where it is short enough', () => {
    expect(wholeSentences('As Dr. Okafor said', 18)).toBe('As Dr. Okafor said')
  })
})

test('the first words of a text are its first sentence, whoever is named in it', () => {
  expect(firstWords('The visit of Dr. Okafor is over. It was long.')).toBe('The visit of Dr. Okafor is over.')
  expect(firstWords('A text without an end')).toBe('A text without an end')
  expect(firstWords('One very long sentence without any end to it, '.repeat(3))).toMatch(/^One very .{40,80} …$/)
})
