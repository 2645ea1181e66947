import { describe, expect, test } from 'vitest'
import { aboutRules } from '../../../src/feeds/markup/endings/about-rules.ts'
import { creditRules } from '../../../src/feeds/markup/endings/credit-rules.ts'
import { moreRules } from '../../../src/feeds/markup/endings/more-rules.ts'
import { isRequest, requestRules } from '../../../src/feeds/markup/endings/request-rules.ts'
import { summaryText } from '../../../src/feeds/markup/summary.ts'

const summary = (value: string, title = '') => summaryText({ value, kind: 'html' }, { title, author: '' })
const body = 'The ferry leaves at nine.'
const named = (example: string, match: RegExp) => match.exec(example)?.groups?.title ?? ''

describe('every ending of the table is left out', () => {
  test.each(creditRules.map(({ language, example, match }) => [language, example, match] as const))(
    'credit, %s: %s',
    (_, example, match) => {
      expect(match.test(example)).toBe(true)
      expect(named(example, match)).not.toBe('')
      expect(summary(`<p>${body}</p><p>${example}</p>`, named(example, match))).toBe(body)
      expect(summary(`<p>${body}</p><p>${example.replace(/(\S+)$/, '<a href="x">$1</a>')}</p>`)).toBe(body)
      expect(summary(`<p>${example}</p><p>${body}</p>`, 'Another title')).toBe(`${example} ${body}`)
    },
  )

  test.each(moreRules.map(({ language, example }) => [language, example] as const))('more, %s: %s', (_, example) => {
    expect(summary(`<p>${body}</p><a href="x">${example}</a>`)).toBe(body)
    expect(summary(`<p>${body} <a href="x">${example}</a></p>`)).toBe(body)
    expect(summary(`<p>The ferry … <a href="x">${example}</a></p>`)).toBe('The ferry …')
    expect(summary(`<p>${example}</p><p>${body}</p>`)).toBe(`${example} ${body}`)
  })

  test.each(aboutRules.map(({ language, example }) => [language, example] as const))('about, %s: %s', (_, example) => {
    expect(summary(`<p>${example}</p>`)).toBe('')
    expect(summaryText({ value: example, kind: 'text' })).toBe('')
    expect(summary(`<p>${example}</p><p>${body}</p>`)).not.toBe('')
  })

  test.each(requestRules.map(({ language, example }) => [language, example] as const))(
    'request, %s: %s',
    (_, example) => {
      expect(isRequest(example)).toBe(true)
      expect(isRequest(`${body} ${example} ${body}`)).toBe(false)
    },
  )
})

test('a credit that follows a text in its line is left out if it says the title', () => {
  const text = `${body} The post Late again appeared first on The Post.`
  expect(summary(text, 'Late again')).toBe(body)
  expect(summary(text, 'Another title')).toBe(text)
})

test.each([
  'The post of clerk is open. The post was vacant because the notice appeared first on a wall.',
  'The teachers want children to read more.',
  'She wrote a book. Read more books, says the library.',
  'He gave no comment. The council is asked for comments.',
  'Der Beitrag der Stadt erschien zuerst auf der Rechnung.',
  'More than a million people came.',
  'Więcej pieniędzy dla szkół.',
  'Der Hafen wächst. Mehr dazu sagt der Rat am Montag.',
  'The Pier is a reader-supported publication that the town has had since 1990.',
])('a sentence like an ending is text: %s', (text) => {
  expect(summary(`<p>${text}</p>`)).toBe(text)
  expect(isRequest(text)).toBe(false)
})

test('endings after one another are all left out', () => {
  const endings = '<p><a href="x">Read more</a></p><p>The post <a>T</a> appeared first on <a>P</a>.</p><p>Comments</p>'
  expect(summary(`<p>${body}</p>${endings}`)).toBe(body)
})

test('a post of a forum keeps its text, and the announcement of a preprint its abstract', () => {
  expect(
    summary(`<div>${body}</div> submitted by <a href="u">/u/mira</a> <a href="l">[link]</a> <a>[9 comments]</a>`),
  ).toBe(body)
  expect(summaryText({ value: `arXiv:2611.00001v1 Announce Type: new Abstract: ${body}`, kind: 'text' })).toBe(body)
})
