import { expect, test } from 'vitest'
import { describeActor, describeDone, describeEvent, describeSince } from '../../src/describe/describe.ts'
import { messages } from '../../src/describe/messages.ts'
import { type Actor, type EventKind, type EventValues, type PastEvent, person } from '../../src/store/events/event.ts'
import type { Reason } from '../../src/store/events/reason.ts'

/** Data of every kind that the program can write, with the line of the history. The type asks for each kind and value. */
type Examples = { [Kind in EventKind]: [EventValues[Kind], string, Actor?][] }

const thin: Reason = { code: 'too-few-articles', count: 0, minimum: 5 }
const byHand: Reason = { code: 'by-hand', words: 'the lawyer reads it' }
const newer: Reason = { code: 'newer-sent', number: 5 }
const problem: Reason = { code: 'feed-gone', since: '2026-11-27T07:00:00.000Z' }

const examples: Examples = {
  note: [[{ text: 'composed with 4 articles' }, 'composed with 4 articles']],
  'edition.composed': [
    [{ articles: 18, letters: 0, thin: null, replaced: [] }, '18 articles chosen'],
    [{ articles: 1, letters: 1, thin: null, replaced: [] }, '1 article and 1 letter chosen'],
    [
      { articles: 0, letters: 2, thin, replaced: ['weekly 3', 'weekly 4'] },
      '0 articles and 2 letters chosen: no new articles (this digest needs 5); takes the place of weekly 3 and weekly 4, which nobody approved',
    ],
  ],
  'edition.recomposed': [
    [{ articles: 17, letters: 0, thin: null }, 'Chosen again: 17 articles'],
    [{ articles: 1, letters: 2, thin }, 'Chosen again: 1 article and 2 letters: no new articles (this digest needs 5)'],
  ],
  'edition.run_missed': [
    [
      { reason: { code: 'missed-before-schedule-change' } },
      'Not made: missed, and the schedule was changed before it could be made',
    ],
  ],
  'edition.skipped': [[{ reason: thin }, 'Skipped: no new articles (this digest needs 5)']],
  'edition.page_checked': [
    [{ title: 'Trams', finding: { code: 'page-title', title: 'Buses' } }, '“Trams”: its page is headed “Buses” now'],
  ],
  'edition.pages_unchecked': [
    [
      { articles: [{ code: 'page-finding', title: 'Trams', finding: { code: 'page-not-asked' } }] },
      'Some pages could not be checked: “Trams” (not checked: no time was left)',
    ],
  ],
  'edition.pictures_left_out': [
    [
      { pictures: [{ code: 'picture-of', title: 'Trams', reason: { code: 'picture-late' } }] },
      'Pictures left out: “Trams” (it did not arrive in time)',
    ],
  ],
  'edition.correction_left_out': [
    [
      { said: 'Trams', why: 'unanswered' },
      'The correction of “Trams” is left out: its page did not answer, so we cannot tell whether it is gone',
    ],
    [{ said: 'Trams', why: 'outdated' }, 'The correction of “Trams” is left out: it no longer applies'],
  ],
  'edition.clipped': [
    [
      { bytes: 110_000 },
      'The email has 108 KB; Gmail shows the first 102 KB and hides the rest, with the unsubscribe link: choose fewer articles, or do not print them whole',
    ],
  ],
  'edition.too_large': [
    [
      { bytes: 1_200_000 },
      'The email has 1.2 MB, and no more than 1 MB is sent: choose fewer articles, or do not print them whole',
    ],
  ],
  'edition.sealed': [[{}, 'Made ready and locked']],
  'edition.seal_failed': [
    [{ reason: { code: 'error', message: 'no closing tag' } }, 'Could not be made ready: no closing tag'],
  ],
  'edition.unsealed': [
    [
      { reasons: [{ code: 'dated-earlier' }] },
      'To be made ready again: it has waited since an earlier day, and now carries the date of today',
    ],
  ],
  'edition.approved': [
    [{ obstacles: [] }, 'Approved'],
    [{ obstacles: [] }, 'Approved automatically (digest setting)', 'rule'],
    [
      { obstacles: [newer, { code: 'no-articles' }] },
      'Approved in spite of this: a newer edition was sent already: number 5; there is no article in it',
    ],
  ],
  'edition.obstacles_overridden': [
    [{ obstacles: [newer] }, 'To be sent in spite of this: a newer edition was sent already: number 5'],
  ],
  'edition.held': [
    [{ reason: byHand }, 'Put on hold: the lawyer reads it'],
    [{ reason: thin }, 'On hold: no new articles (this digest needs 5)', 'system'],
  ],
  'edition.paused': [[{ reason: byHand }, 'Paused: the lawyer reads it']],
  'edition.resumed': [
    [{ retracted: [] }, 'Sending resumed'],
    [{ retracted: ['“Trams”', '“Buses”'] }, 'Sending resumed, with “Trams”, “Buses” in it, which was removed'],
  ],
  'edition.cancelled': [[{ reason: { code: 'replaced', number: 9 } }, 'Cancelled: replaced by edition 9', 'system']],
  'edition.article_retracted': [
    [
      { title: 'Trams', words: 'wrong name', effect: 'sent', seals: [] },
      'Removed “Trams”: wrong name; this edition was sent already',
    ],
    [
      { title: 'Trams', words: 'wrong name', effect: 'stopped', seals: [] },
      'Removed “Trams”: wrong name; sending is paused',
    ],
    [
      { title: 'Trams', words: 'wrong name', effect: 'paused', seals: [] },
      'Removed “Trams”: wrong name; the edition was already paused',
    ],
    [
      { title: 'Trams', words: 'wrong name', effect: 'recomposed', seals: ['0a1b'] },
      'Removed “Trams”: wrong name; the articles are chosen again. The seal 0a1b is withdrawn and kept',
    ],
  ],
  'edition.article_restored': [[{ title: 'Trams' }, 'Put back “Trams”']],
  'edition.not_duplicate': [[{ title: 'Trams', other: 'Buses' }, '“Trams” is not a duplicate of “Buses”']],
  'edition.edited': [[{ number: 2, change: { code: 'edit-drop', headline: 'Trams' } }, 'Dropped “Trams”']],
  'edition.edit_undone': [
    [{ number: 2, change: { code: 'edit-drop', headline: 'Trams' } }, 'Change undone: dropped “Trams”'],
  ],
  'edition.sending_started': [[{}, 'Sending started']],
  'edition.canary_released': [
    [
      { reason: { code: 'canary-overruled', provider: 'a.example' } },
      'Canary overruled: sending to a.example continues',
    ],
  ],
  'edition.relay_excluded': [
    [
      { relay: 'second', reason: { code: 'relay-takes-nothing', reply: '550 no' } },
      'The relay second is left out, and its messages go by the others: it accepts nothing; its last answer: 550 no',
    ],
  ],
  'edition.sent': [
    [{ accepted: 1200, refused: 1, unknown: 0, skipped: 2 }, 'Sent: 1,200 accepted, 1 refused, 0 unknown, 2 skipped'],
  ],
  'correction.accepted': [[{ said: 'Trams', words: 'It is buses.' }, 'Correction of “Trams” accepted: It is buses.']],
  'correction.dismissed': [[{ said: 'Trams' }, 'Correction of “Trams” dismissed']],
  'correction.reopened': [[{ said: 'Trams' }, 'Correction of “Trams” taken back: it is proposed again']],
  'correction.withdrawn': [
    [{ said: 'Trams', words: 'we were right' }, 'Correction of “Trams” withdrawn: we were right'],
  ],
  'notice.sent': [
    [{ about: 'skipped' }, 'Editors were notified of the skipped run by email'],
    [{ about: 'edition' }, 'Editors were notified by email'],
  ],
  'notice.refused': [[{ about: 'edition', reply: '550 no' }, 'Editors could not be notified by email: 550 no']],
  'notice.unknown': [
    [
      { about: 'edition', reply: 'the connection was closed' },
      'The email to the editors may not have arrived: the connection was closed',
    ],
  ],
  'feed.notice_sent': [
    [{ problem }, 'Editors were notified that it is gone permanently since 2026-11-27: we no longer fetch it'],
  ],
  'feed.notice_refused': [
    [
      { problem, reply: '550 no' },
      'Editors could not be notified (550 no) that it is gone permanently since 2026-11-27: we no longer fetch it',
    ],
  ],
  'feed.notice_unknown': [
    [
      { problem, reply: 'no answer' },
      'The email to the editors that it is gone permanently since 2026-11-27: we no longer fetch it may not have arrived: no answer',
    ],
  ],
  'feed.gone': [[{ status: 410 }, 'Gone permanently (410): we no longer fetch it']],
  'feed.moved': [
    [
      { from: 'https://a.example', to: 'https://b.example' },
      'Moved permanently from https://a.example to https://b.example',
    ],
  ],
  'feed.move_ignored': [
    [
      { to: 'https://b.example', url: 'https://a.example' },
      'Says that it moved to https://b.example, which is another feed here: we fetch it at https://a.example as before',
    ],
  ],
  'feed.move_undone': [
    [
      { from: 'https://b.example', to: 'https://a.example', why: 'gone' },
      'The address https://b.example is gone permanently (410): we fetch it at https://a.example again',
    ],
    [
      { from: 'https://b.example', to: 'https://a.example', why: 'failing' },
      'The address https://b.example fails: we fetch it at https://a.example again',
    ],
    [
      { from: 'https://b.example', to: 'https://a.example', why: 'not-ours' },
      'The address https://b.example leads to another publisher: we fetch it at https://a.example again',
    ],
  ],
  'feed.move_insecure': [
    [
      { to: 'http://a.example', url: 'https://a.example' },
      'Says that it moved to http://a.example, without TLS: we fetch it at https://a.example as before',
    ],
  ],
  'feed.publisher_changed': [
    [
      { title: 'Lucky Reels', siteUrl: 'https://reels.example/' },
      'Has another title, site and articles than before: “Lucky Reels” https://reels.example/',
    ],
  ],
  'feed.publisher_accepted': [[{ title: 'The Quay Weekly' }, '“The Quay Weekly” is the same publisher']],
  'feed.publisher_refused': [[{ title: 'Lucky Reels' }, '“Lucky Reels” is not ours: nothing of it is saved']],
  'feed.publisher_back': [[{ title: 'The Quay' }, 'Is “The Quay” again, with articles that we know']],
  'feed.articles_forgotten': [[{}, 'Too many articles: the oldest that no edition chose are forgotten']],
  'feed.forgotten_shown': [[{}, 'Lists articles again that were forgotten here: no edition gets them']],
  'feed.articles_decided': [
    [{ accepted: 1, duplicates: 0, ignored: 0 }, '1 article that waited is new, and may be chosen'],
    [
      { accepted: 24, duplicates: 2, ignored: 0 },
      '24 articles that waited are new, and may be chosen; 2 articles that waited are the same as before, by address and title',
    ],
    [{ accepted: 0, duplicates: 1, ignored: 0 }, '1 article that waited is the same as before, by address and title'],
    [{ accepted: 0, duplicates: 0, ignored: 26 }, '26 articles that waited are old, and never mailed'],
  ],
}

function event(kind: string, data: object, actor: Actor = person('Ada')): PastEvent {
  const subjects = { edition: null, article: null, subscriber: null, feed: null }
  return { id: 'id', at: '2026-11-27T07:00:00.000Z', actor, kind, ...subjects, data } as PastEvent
}

test.each(Object.entries(examples))('%s has its line in a history', (kind, cases) => {
  for (const [data, text, actor] of cases) expect(describeEvent(event(kind, data, actor))).toBe(text)
})

test('every message of an event belongs to a kind, and none is missing', () => {
  const { events, done, since } = messages()
  expect([...events.keys()].sort()).toEqual(Object.keys(examples).sort())
  for (const kind of [...done.keys(), ...since.keys()]) expect(Object.keys(examples)).toContain(kind)
})

/** Sentences about what somebody has just done (`done`), and what happened since a page was shown (`since`). */
type Sentences = [event: PastEvent, sentence: string][]

const removed = { title: 'Trams', words: 'wrong name', seals: [] }
const overridden = { retracted: ['“Trams”', '“Buses”'] }
const edited = { number: 2, change: { code: 'edit-drop', headline: 'Trams' } }

const doneSentences: Sentences = [
  [event('edition.approved', { obstacles: [] }), 'You approved it.'],
  [event('edition.held', { reason: byHand }), 'You put it on hold: “the lawyer reads it”.'],
  [event('edition.cancelled', { reason: byHand }), 'You cancelled it: “the lawyer reads it”.'],
  [event('edition.paused', { reason: byHand }), 'You stopped the sending: “the lawyer reads it”.'],
  [event('edition.resumed', { retracted: [] }), 'You resumed the sending.'],
  [event('edition.resumed', overridden), 'You resumed the sending with “Trams”, “Buses” in it, which was removed.'],
  [event('edition.article_retracted', { ...removed, effect: 'paused' }), 'You removed “Trams”: wrong name.'],
  [
    event('edition.article_retracted', { ...removed, effect: 'stopped' }),
    'You removed “Trams”: wrong name; sending is paused.',
  ],
  [event('edition.article_restored', { title: 'Trams' }), 'You put “Trams” back.'],
  [event('edition.edited', edited), 'You dropped “Trams”.'],
  [event('edition.edit_undone', edited), 'You undid a change: dropped “Trams”.'],
]

const sinceSentences: Sentences = [
  [event('edition.approved', { obstacles: [] }), 'Ada approved it at 07:00.'],
  [event('edition.approved', { obstacles: [] }, 'rule'), 'It was approved automatically (digest setting) at 07:00.'],
  [event('edition.held', { reason: byHand }), 'Ada held it back at 07:00: “the lawyer reads it”.'],
  [
    event('edition.held', { reason: thin }, 'system'),
    'It was put on hold at 07:00: “no new articles (this digest needs 5)”.',
  ],
  [event('edition.cancelled', { reason: byHand }), 'Ada cancelled it at 07:00: “the lawyer reads it”.'],
  [
    event('edition.cancelled', { reason: { code: 'replaced', number: 9 } }, 'system'),
    'It was cancelled at 07:00: “replaced by edition 9”.',
  ],
  [event('edition.paused', { reason: byHand }), 'Ada stopped the sending at 07:00: “the lawyer reads it”.'],
  [event('edition.paused', { reason: byHand }, 'rule'), 'The sending was stopped at 07:00: “the lawyer reads it”.'],
  [event('edition.resumed', overridden), 'Ada resumed the sending at 07:00.'],
  [
    event('edition.article_retracted', { ...removed, effect: 'stopped' }),
    'Ada removed an article at 07:00: “Trams”: wrong name.',
  ],
  [event('edition.article_restored', { title: 'Trams' }), 'Ada put an article back at 07:00: “Trams”.'],
  [event('edition.edited', edited), 'Ada changed it at 07:00: dropped “Trams”.'],
  [event('edition.edit_undone', edited), 'Ada undid a change at 07:00: dropped “Trams”.'],
]

test('each sentence with a name in it reads as it should, and none is left out', () => {
  const { done, since } = messages()
  const kinds = (sentences: Sentences) => [...new Set(sentences.map(([{ kind }]) => kind))].sort()
  expect([kinds(doneSentences), kinds(sinceSentences)]).toEqual([[...done.keys()].sort(), [...since.keys()].sort()])
  for (const [one, sentence] of doneSentences) expect(describeDone(one, 'You')).toBe(sentence)
  for (const [one, sentence] of sinceSentences) expect(describeSince(one, 'Ada', 'at 07:00')).toBe(sentence)
})

test('what somebody has done, or did since a page was shown, is told with their name', () => {
  for (const [kind, cases] of Object.entries(examples))
    for (const [data, , actor] of cases) {
      expect(describeDone(event(kind, data, actor), 'You')).toContain('You')
      if (actor === undefined) expect(describeSince(event(kind, data), 'Ben', 'at 07:00')).toMatch(/Ben.* at 07:00/)
    }
  expect(describeSince(event('edition.sealed', {}, 'system'), '', 'at 07:00')).toBe('Made ready and locked at 07:00.')
})

test('an actor is a person by name, the operator, or nobody', () => {
  expect([person('Ada'), 'cli', 'rule', 'system'].map((actor) => describeActor(actor as Actor))).toEqual([
    ...['Ada', 'operator', 'automatically', 'automatically'],
  ])
})
