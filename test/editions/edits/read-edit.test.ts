import { describe, expect, test } from 'vitest'
import { type EditContext, maxEditLengths, readEdit, type TypedEdit } from '../../../src/editions/edits/read-edit.ts'
import type { AppError } from '../../../src/errors.ts'

const context: EditContext = { headline: 'Harbour', section: 'news', sections: ['news', 'opinion'], newId: 'new' }

function problem(typed: TypedEdit): string {
  try {
    readEdit(typed, context)
  } catch (error) {
    expect((error as AppError).code).toBe('invalid')
    return (error as AppError).message
  }
  return 'accepted'
}

describe('what an editor types', () => {
  test('is plain text on one line: no control character, no turned direction, nothing invisible', () => {
    const hostile = ' A\u0000\u0007 <b>bold</b>\r\n\u202egnp.exe\u202c \ud800{lead}\u200b '
    expect(readEdit({ kind: 'subject', text: hostile }, context)).toEqual({
      kind: 'subject',
      target: '',
      data: { text: 'A <b>bold</b> gnp.exe \ufffd{lead}' },
    })
    const words = readEdit({ kind: 'introduction', text: `One\r\nline\r\n \r\n\u0000Two\f\u2029\n\n\u200b` }, context)
    expect(words.data).toEqual({ text: 'One line\n\nTwo' })
  })

  test.each<[TypedEdit, string]>([
    [{ kind: 'subject' }, 'The subject is empty.'],
    [
      { kind: 'subject', text: '{headline} and more' },
      'Unknown placeholder {headline}: expected one of {title}, {number}, {date}, {lead}, {second}, {third}, {count}.',
    ],
    [
      { kind: 'preheader', text: '{{count}} stories' },
      'Unknown placeholder {{count}: expected one of {title}, {number}, {date}, {lead}, {second}, {third}, {count}.',
    ],
    [{ kind: 'subject', text: ' \u200b\u3164 ' }, 'The subject is empty.'],
    [{ kind: 'reword', target: 'a' }, 'Write a headline, a summary, or both.'],
    [{ kind: 'reword', target: 'a', title: '' }, 'The headline is empty.'],
    [{ kind: 'move', target: 'a' }, 'Choose one of these sections: news, opinion.'],
    [{ kind: 'pin', target: 'a', section: '__proto__' }, 'Choose one of these sections: news, opinion.'],
    [{ kind: 'order', target: 'news' }, 'Name at least one article.'],
    [{ kind: 'order', target: 'sport', articles: ['a'] }, 'Choose one of these sections: news, opinion.'],
    [{ kind: 'block' }, 'The heading is empty.'],
    [{ kind: 'block', heading: 'H', linkText: 'here' }, 'The link has words, but no address.'],
    [{ kind: 'block', heading: 'H', before: 'sport' }, 'Choose one of these sections: news, opinion.'],
    [{ kind: 'explode\u0007' }, '“explode” is no change that can be made.'],
    [{ kind: 'constructor' }, '“constructor” is no change that can be made.'],
  ])('%j is refused', (typed, message) => {
    expect(problem(typed)).toBe(message)
  })

  test.each([
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'mailto:a@b.example',
    '//x.example/',
    '/path',
    'https://mira:secret@x.example/',
    'https://',
    'https://x.example/a b',
    `https://x.example/${'a'.repeat(2000)}`,
  ])('an address %j is refused, of a link and of a picture', (url) => {
    for (const typed of [
      { kind: 'block', heading: 'H', link: url },
      { kind: 'block', heading: 'H', picture: url },
      { kind: 'picture', target: 'a', picture: url },
    ])
      expect(problem(typed)).toMatch(/^The address of the (link|picture) /)
  })

  test.each<[keyof typeof maxEditLengths, (text: string) => TypedEdit]>([
    ['title', (title) => ({ kind: 'reword', target: 'a', title })],
    ['summary', (summary) => ({ kind: 'reword', target: 'a', summary })],
    ['introduction', (text) => ({ kind: 'introduction', text })],
    ['subject', (text) => ({ kind: 'subject', text })],
    ['preheader', (text) => ({ kind: 'preheader', text })],
    ['heading', (heading) => ({ kind: 'block', heading })],
    ['text', (text) => ({ kind: 'block', heading: 'H', text })],
    ['linkText', (linkText) => ({ kind: 'block', heading: 'H', link: 'https://x.example/', linkText })],
    ['alt', (alt) => ({ kind: 'picture', target: 'a', picture: 'https://x.example/', alt })],
  ])('the longest %s is taken whole, and one that is longer is refused and not cut', (field, typed) => {
    expect(problem(typed('€'.repeat(maxEditLengths[field])))).toBe('accepted')
    expect(problem(typed('€'.repeat(maxEditLengths[field] + 1)))).toContain(`Shorten it to ${maxEditLengths[field]}.`)
  })

  test('of megabytes is read in time that grows with its length alone', () => {
    for (const piece of ['\n ', '\u202e', '\u0000', ' \n\t'])
      expect(problem({ kind: 'introduction', text: `a${piece.repeat(500_000)}b` })).toMatch(/accepted|Shorten/)
  })

  const block = {
    heading: 'Festival',
    text: 'Doors open at 8.',
    link: { url: 'https://x.example/t', text: 'Tickets' },
    picture: { url: 'https://x.example/p', alt: 'Tents' },
    before: 'opinion',
  }

  test.each<[Partial<TypedEdit>, Partial<typeof block> | { link: null } | { picture: null }]>([
    [{ heading: 'Festival on Sunday' }, { heading: 'Festival on Sunday' }],
    [{ text: '' }, { text: '' }],
    [{ link: 'https://y.example/' }, { link: { url: 'https://y.example/', text: 'Tickets' } }],
    [{ linkText: 'Seats' }, { link: { url: 'https://x.example/t', text: 'Seats' } }],
    [{ link: '' }, { link: null }],
    [{ alt: 'A stage' }, { picture: { url: 'https://x.example/p', alt: 'A stage' } }],
    [{ picture: 'https://y.example/q' }, { picture: { url: 'https://y.example/q', alt: '' } }],
    [{ picture: '' }, { picture: null }],
    [{ before: '' }, { before: '' }],
  ])('changes only what is named in a block: %j', (typed, changed) => {
    const edit = readEdit({ kind: 'block', target: 'b', ...typed }, { ...context, block })
    expect(edit).toEqual({ kind: 'block', target: 'b', data: { ...block, ...changed } })
  })

  test('changes the description of a picture without the picture, which only an empty address removes', () => {
    const { picture } = block
    const read = (typed: Partial<TypedEdit>, current: typeof picture | null = picture) =>
      readEdit({ kind: 'picture', target: 'a', ...typed }, { ...context, picture: current }).data
    expect(read({ alt: 'A stage' })).toMatchObject({ picture: { url: picture.url, alt: 'A stage' } })
    expect(read({ picture: '' })).toMatchObject({ picture: null })
    expect(() => read({})).toThrow('Write the address of a picture, its description, or both.')
    expect(() => read({ alt: 'A stage' }, null)).toThrow('There is no picture to describe.')
  })

  test('is understood: each kind with all that it may say', () => {
    expect(readEdit({ kind: 'pin', target: 'a' }, context).data).toEqual({ headline: 'Harbour', section: 'news' })
    expect(readEdit({ kind: 'order', target: 'news', articles: ['a', 'b', 'a'] }, context).data).toEqual({
      articles: ['a', 'b'],
    })
    expect(readEdit({ kind: 'picture', target: 'a', picture: '' }, context).data).toEqual({
      headline: 'Harbour',
      picture: null,
    })
    expect(readEdit({ kind: 'reword', target: 'a', summary: '' }, context).data).toEqual({
      headline: 'Harbour',
      summary: '',
    })
    expect(
      readEdit(
        {
          kind: 'block',
          heading: 'H',
          text: 'T',
          link: 'HTTPS://X.example',
          picture: 'http://x.example/p',
          alt: 'P',
          before: 'opinion',
        },
        context,
      ),
    ).toEqual({
      kind: 'block',
      target: 'new',
      data: {
        heading: 'H',
        text: 'T',
        link: { url: 'https://x.example/', text: 'https://x.example/' },
        picture: { url: 'http://x.example/p', alt: 'P' },
        before: 'opinion',
      },
    })
  })
})
