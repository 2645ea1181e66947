import { expect, test } from 'vitest'
import { describeLine, describeReason, describeSentence, reasonWithText } from '../../src/describe/describe.ts'
import { messages } from '../../src/describe/messages.ts'
import { causes } from '../../src/mail/reply-rules/cause.ts'
import type { Reason, ReasonCode, ReasonOf, ReasonValues } from '../../src/store/events/reason.ts'
import { toJson } from '../../src/store/json.ts'
import { day, hour } from '../../src/time/clock.ts'

/** Values of every code that the program can write, with what a person reads. The type asks for each code and value. */
type Examples = { [Code in ReasonCode]: [ReasonValues[Code], string][] }

const at = '2026-11-27T07:00:00.000Z'
const setting = { setting: 'web.url', value: 'http://box', file: 'config' as const, path: ['web', 'url'] }
const opinion: ReasonOf<'filter-part'> = { code: 'filter-part', by: 'categories', terms: ['Opinion', 'Letters'] }
const horse: ReasonOf<'filter-part'> = { code: 'filter-part', by: 'words', terms: ['horse'] }
const silent: Reason = { code: 'feed-unreachable', message: 'news.example did not answer in time' }
const flood: Reason = { code: 'flood', count: 1200, usual: 1.5 }
const slowDown: Reason = { code: 'slow-down-reply', reply: '421 4.7.28 unusual rate' }
const zone = 'Europe/London'
const imported = { state: 'x', column: 'status', tool: null, file: 'people.csv', line: 2, isBroken: false }
const noText: Reason = { code: 'page-unchecked', answer: null }

const examples: Examples = {
  text: [[{ text: 'held: 0 articles' }, 'held: 0 articles']],
  'by-hand': [[{ words: 'the lawyer reads it' }, 'the lawyer reads it']],
  error: [[{ message: 'digest.mjml.hbs:4: no closing tag' }, 'digest.mjml.hbs:4: no closing tag']],
  'internal-error': [[{}, 'an internal error: the log shows where']],
  'no-subscribers': [[{ digest: 'weekly' }, 'nobody is subscribed to weekly; its articles stay pending']],
  'no-recipients-left': [
    [{ count: 0 }, 'nobody was subscribed when it was to be sent; its articles are pending again'],
    [{ count: 1 }, 'the last subscriber left before it was sent; its articles are pending again'],
    [{ count: 2 }, 'the last 2 subscribers left before it was sent; its articles are pending again'],
  ],
  'missed-too-late': [[{ lateMs: 3 * day, within: '24h' }, 'missed by 3 days; the rule makes up for 24h']],
  'missed-for-newer': [[{ newest: at }, 'missed, and a newer run was due by then, at 2026-11-27T07:00:00.000Z']],
  'missed-before-schedule-change': [[{}, 'missed, and the schedule was changed before it could be made']],
  'missed-several': [
    [
      { count: 3, first: at, last: at, newest: { code: 'missed-for-newer', newest: at } },
      '3 runs, due from 2026-11-27T07:00:00.000Z to 2026-11-27T07:00:00.000Z; the newest of them was missed, and a newer run was due by then, at 2026-11-27T07:00:00.000Z',
    ],
  ],
  'date-skipped': [
    [{ name: 'Christmas', content: 'keep' }, 'its date is skipped (Christmas); its articles stay pending'],
    [{ name: null, content: 'drop' }, 'its date is skipped; its articles became backlog'],
  ],
  'run-paused': [[{ until: '2027-01-04' }, 'the digest is paused until 2027-01-04; its articles stay pending']],
  'run-not-shifted': [
    [
      { name: null },
      'its date is skipped, and there is no free day for it before another run; its articles stay pending',
    ],
  ],
  'run-shifted': [
    [{ name: null, from: '2026-05-25', to: '2026-05-26' }, 'shifted from 2026-05-25 to 2026-05-26'],
    [
      { name: 'Spring holiday', from: '2026-05-25', to: '2026-05-26' },
      'shifted from 2026-05-25 to 2026-05-26 (Spring holiday)',
    ],
  ],
  replaced: [[{ number: 12 }, 'replaced by edition 12']],
  'article-retracted': [
    [{ title: 'Trams', who: 'Ada', words: 'wrong name' }, '“Trams” was removed by Ada: wrong name'],
  ],
  'dated-earlier': [[{}, 'it has waited since an earlier day, and now carries the date of today']],
  'setting-was': [[{ setting: 'web.url', value: 'http://box' }, 'web.url was http://box']],
  'made-for-review': [[{}, 'made for review']],
  'no-articles': [[{}, 'there is no article in it']],
  'empty-subject': [[{}, 'its subject is empty']],
  'too-large': [
    [
      { bytes: 1_200_000 },
      'the email has 1.2 MB, and no more than 1 MB is sent: choose fewer articles, or do not print them whole',
    ],
  ],
  clipped: [
    [
      { bytes: 110_000 },
      'the email has 108 KB; Gmail shows the first 102 KB and hides the rest, with the unsubscribe link: choose fewer articles, or do not print them whole',
    ],
  ],
  'newer-sent': [
    [{ number: 5 }, 'a newer edition was sent already: number 5'],
    [{ number: null }, 'a newer edition was sent already'],
  ],
  setting: [
    [
      { ...setting, fault: 'private-address' },
      'web.url is http://box, which readers cannot reach: every unsubscribe link would be dead. Set it to the public address of these pages',
    ],
    [{ ...setting, fault: 'sample' }, 'web.url is still that of the sample (http://box): set it to your own'],
  ],
  sealed: [
    [
      { ...setting, fault: 'sample' },
      'it was made while web.url was http://box, and says so. It is made again by itself within seconds where lastword start runs; lastword run does it too',
    ],
  ],
  'too-few-articles': [
    [{ count: 0, minimum: 5 }, 'no new articles (this digest needs 5)'],
    [{ count: 1, minimum: 5 }, '1 new article (this digest needs 5)'],
    [{ count: 3, minimum: 5 }, '3 new articles (this digest needs 5)'],
  ],
  'section-too-few': [
    [{ section: 'latest', count: 0, minimum: 2 }, 'the section latest has no articles (it needs 2)'],
    [{ section: 'latest', count: 1, minimum: 2 }, 'the section latest has 1 article (it needs 2)'],
  ],
  'minimum-not-met': [
    [
      { section: null, count: 0, minimum: 1, filter: [opinion, horse] },
      'the edition has 0 with categories Opinion, Letters or words horse where at least 1 is needed',
    ],
    [
      { section: 'latest', count: 1, minimum: 2, filter: [horse] },
      'the section latest has 1 with words horse where at least 2 are needed',
    ],
  ],
  'silent-too-long': [
    [{ silenceMs: 22 * day, longest: '21d' }, 'the last edition was 22 days ago, and the longest silence is 21d'],
  ],
  'left-out': [
    [
      { count: 1, reasons: [{ code: 'left-out-for', count: 1, reason: { code: 'no-section' } }], more: 0 },
      '1 pending article was left out (1: its feed is in no section any more)',
    ],
    [
      { count: 9, reasons: [{ code: 'left-out-for', count: 5, reason: { code: 'no-section' } }], more: 2 },
      '9 pending articles were left out (5: its feed is in no section any more; 2 more reasons)',
    ],
  ],
  'left-out-for': [[{ count: 5, reason: { code: 'no-section' } }, '5: its feed is in no section any more']],
  'feeds-failing': [
    [
      { count: 1, total: 2, failures: [{ code: 'feed-failure', url: 'https://a.example/', error: silent }] },
      '1 of 2 feeds failed (https://a.example/: news.example did not answer in time)',
    ],
  ],
  'feed-failure': [
    [{ url: 'https://a.example/', error: silent }, 'https://a.example/: news.example did not answer in time'],
  ],
  'feed-quarantined': [
    [
      { count: 1, url: 'https://a.example/', reason: flood },
      '1 article of https://a.example/ waits for an editor: 1,200 new articles at once, where 1.5 are usual',
    ],
    [
      { count: 1200, url: 'https://a.example/', reason: flood },
      '1,200 articles of https://a.example/ wait for an editor: 1,200 new articles at once, where 1.5 are usual',
    ],
  ],
  chosen: [
    [{ rank: 1, total: 1, order: 'newest', backfill: false }, 'the only new article'],
    [{ rank: 1, total: 6, order: 'newest', backfill: false }, 'newest of 6 new articles'],
    [
      { rank: 2, total: 6, order: 'newest', backfill: true },
      'fills the section up: number 2 of 6 new articles, newest first',
    ],
    [{ rank: 2, total: 6, order: 'feed', backfill: false }, 'number 2 of 6 new articles, in the order of the feed'],
    [{ rank: 1, total: 1, order: 'score', backfill: false }, 'number 1 of 1 new article, by score'],
    [{ rank: 1, total: 2, order: 'letters', backfill: false }, 'number 1 of 2 letters, in the order they came'],
  ],
  score: [
    [{ points: 0, parts: [] }, 'score 0'],
    [
      {
        points: 9,
        parts: [
          { code: 'score-part', part: 'fresh', points: 7 },
          { code: 'score-part', part: 'sources', points: 2 },
        ],
      },
      'score 9 (fresh 7, other sources 2)',
    ],
  ],
  'score-part': [[{ part: 'picture', points: 2 }, 'picture 2']],
  'also-in': [[{ sources: ['Harbour News', 'The Quay'] }, 'also in Harbour News, The Quay']],
  'in-by-minimum': [
    [
      { section: 'latest', minimum: 1, filter: [opinion] },
      'in because the section latest holds at least 1 with categories Opinion, Letters',
    ],
    [
      { section: null, minimum: 1, filter: [opinion] },
      'in because the edition holds at least 1 with categories Opinion, Letters',
    ],
  ],
  'displaced-by-minimum': [
    [
      { title: 'Trams', section: 'latest', minimum: 1, filter: [opinion] },
      '“Trams” has its place: the section latest holds at least 1 with categories Opinion, Letters',
    ],
  ],
  'filter-part': [[{ by: 'categories', terms: ['Opinion'] }, 'categories Opinion']],
  'section-dropped': [
    [{ count: 1, minimum: 3 }, 'the section has 1 and needs 3: left out this time, and its articles stay pending'],
  ],
  'section-full': [
    [
      { count: 5, before: 'newer', reserved: 0, reservedBy: 'rules' },
      'the section is full: 5 newer articles come before it',
    ],
    [
      { count: 5, before: 'mixed', reserved: 1, reservedBy: 'editor' },
      'the section is full: 5 letters and articles come before it, and one place is reserved by an editor',
    ],
    [
      { count: 0, before: 'articles', reserved: 2, reservedBy: 'rules' },
      'the section is full: 2 places are reserved by rules',
    ],
    [
      { count: 2, before: 'letters', reserved: 0, reservedBy: 'rules' },
      'the section is full: 2 letters come before it',
    ],
  ],
  'backfill-not-needed': [[{ section: 'latest' }, 'the section latest has enough: its spare feed is not needed']],
  'maximum-of-author': [[{ section: null, maximum: 1, author: 'Ann' }, 'the edition holds at most 1 by Ann']],
  'maximum-of-feed': [
    [{ section: 'latest', maximum: 2, source: 'Harbour' }, 'the section latest holds at most 2 from Harbour'],
  ],
  'maximum-of-filter': [
    [{ section: 'latest', maximum: 2, filter: [horse] }, 'the section latest holds at most 2 with words horse'],
  ],
  excluded: [
    [{ section: 'latest', by: 'category', term: 'Sport' }, 'the section latest leaves out the category “Sport”'],
  ],
  'not-included': [
    [
      { section: 'latest', filter: [opinion, horse] },
      'the section latest takes in only categories Opinion, Letters or words horse',
    ],
  ],
  stale: [
    [{ seenAt: at, freshness: '14d' }, 'it is not fresh: first seen on 2026-11-27T07:00:00.000Z, longer ago than 14d'],
    [{ seenAt: null, freshness: '14d' }, 'it is not fresh: first seen longer ago than 14d'],
  ],
  expired: [[{ pending: '28d' }, 'pending for longer than 28d, so no later edition looks at it']],
  'possible-duplicate': [
    [{ title: 'Trams', source: 'The Post', where: null }, 'possible duplicate of “Trams”, from The Post'],
    [
      { title: 'Trams', source: 'The Post', where: { code: 'copy-in-edition', number: 3, dueAt: null } },
      'possible duplicate of “Trams”, from The Post, which is in edition 3',
    ],
  ],
  'same-story': [
    [{ title: 'Bridge', source: 'Harbour', url: null, where: null }, 'the same story as “Bridge”, from Harbour'],
    [
      {
        title: 'Bridge',
        source: 'Harbour',
        url: 'https://a.example/b',
        where: { code: 'copy-in-edition', number: 3, dueAt: at },
      },
      'the same story as “Bridge” (https://a.example/b), from Harbour, which is in edition 3',
    ],
  ],
  'copy-in-edition': [
    [{ number: null, dueAt: at }, 'which is in edition of 2026-11-27T07:00:00.000Z'],
    [{ number: 3, dueAt: null }, 'which is in edition 3'],
  ],
  'copy-in-backlog': [[{}, 'which is backlog']],
  'older-than-feed': [
    [
      { publishedAt: '2019-05-01T08:00:00.000Z', oldest: '2026-11-12T08:00:00.000Z' },
      'published on 2019-05-01, long before the oldest article (2026-11-12) that the feed listed when it was first read',
    ],
  ],
  'copy-retracted': [[{ who: 'Ada', words: 'wrong name' }, 'which was removed by Ada: wrong name']],
  'no-letter-section': [[{}, 'no section prints letters (layout have-your-say)']],
  'no-section': [[{}, 'its feed is in no section any more']],
  retracted: [[{ who: 'Ada', words: 'wrong name' }, 'removed by Ada: wrong name']],
  quarantined: [[{ reason: flood }, 'it waits for an editor: 1,200 new articles at once, where 1.5 are usual']],
  'feed-waits': [[{ reason: flood }, 'its feed waits for an editor: 1,200 new articles at once, where 1.5 are usual']],
  'edition-skipped': [[{}, 'the edition was skipped; the article stays pending']],
  'page-gone': [[{ answer: 'a.example answered 404' }, 'left out because its page is gone: a.example answered 404']],
  'page-unchecked': [
    [{ answer: 'a.example answered 503' }, 'not checked: a.example answered 503'],
    [{ answer: null }, 'not checked: its page did not answer'],
  ],
  'page-not-asked': [[{}, 'not checked: no time was left']],
  'page-title': [[{ title: 'Trams return' }, 'its page is headed “Trams return” now']],
  'page-address': [[{ url: 'https://a.example/b' }, 'its page is at https://a.example/b now']],
  'page-no-address': [[{}, 'it is not an address']],
  'page-unreachable': [[{ message: 'a.example answered 404' }, 'a.example answered 404']],
  'page-unchanged': [[{}, 'it did not change']],
  'page-not-html': [[{ contentType: 'image/png' }, 'it is not a page but image/png']],
  'page-unreadable': [[{ message: 'it takes too long to read' }, 'it takes too long to read']],
  'picture-left-out': [[{ reason: { code: 'picture-late' } }, 'picture left out: it did not arrive in time']],
  'picture-of': [
    [{ title: 'Trams', reason: { code: 'picture-blank' } }, '“Trams” (it shows nothing but one colour)'],
    [{ title: null, reason: { code: 'picture-damaged' } }, 'the logo (its file is damaged)'],
  ],
  'picture-unreachable': [[{ message: 'a.example answered 404' }, 'a.example answered 404']],
  'picture-late': [[{}, 'it did not arrive in time']],
  'picture-not-a-picture': [
    [{ found: 'svg' }, 'its file is an SVG, which mail programs do not show'],
    [{ found: 'page' }, 'its file is a web page'],
    [{ found: 'nothing' }, 'its file is empty'],
    [{ found: 'other' }, 'its file is of an unknown format'],
  ],
  'picture-heavy': [[{ megabytes: 10 }, 'its file is larger than 10 MB']],
  'picture-large': [[{ megapixels: 40 }, 'it has more than 40 million pixels']],
  'picture-small': [
    [{ side: 'width', pixels: 96, minimum: 200 }, 'only 96 pixels wide (at least 200 needed)'],
    [{ side: 'height', pixels: 1, minimum: 100 }, 'only 1 pixel high (at least 100 needed)'],
  ],
  'picture-blank': [[{}, 'it shows nothing but one colour']],
  'picture-damaged': [[{}, 'its file is damaged']],
  'page-finding': [[{ title: 'Trams', finding: noText }, '“Trams” (not checked: its page did not answer)']],
  'at-relay': [
    [
      { relay: 'second', reason: { code: 'relay-no-answers', count: 10 } },
      'the relay second: it took 10 messages in a row and answered for none',
    ],
  ],
  'no-answers': [
    [
      { count: 20 },
      "20 messages in a row were cut off before the relay's answer, and nothing was accepted between: people may have got several copies",
    ],
  ],
  'relay-no-answers': [[{ count: 10 }, 'it took 10 messages in a row and answered for none']],
  'relay-takes-nothing': [[{ reply: '550 no' }, 'it accepts nothing; its last answer: 550 no']],
  'relay-takes-nothing-while-others-do': [
    [{ reply: '550 no' }, 'it accepts nothing, while another relay does; its last answer: 550 no'],
  ],
  'too-large-for-relay': [
    [{ reply: '552 too large' }, '552 too large: cancel the edition and shorten the digest, or use another relay'],
  ],
  'last-all-refused': [
    [{ count: 12, reply: '550 no' }, 'the last 12 people were all refused; the last answer: 550 no'],
  ],
  'nothing-accepted': [
    [{ count: 1, reply: '550 no' }, 'nothing was accepted, and 1 person was refused; the last answer: 550 no'],
    [{ count: 3, reply: '550 no' }, 'nothing was accepted, and 3 people were refused; the last answer: 550 no'],
  ],
  'all-rejected': [
    [{ count: 5, reply: '550 no' }, 'nothing was taken, and all 5 answers are about us; the last answer: 550 no'],
  ],
  'rejections-in-a-row': [
    [
      { count: 10, domains: ['a.example'], reply: '550 no' },
      '10 refusals in a row that are about us, from the domain a.example; the last answer: 550 no',
    ],
    [
      { count: 10, domains: ['a.example', 'b.example', 'c.example', 'd.example'], reply: '550 no' },
      '10 refusals in a row that are about us, from 4 domains (a.example, b.example, c.example, …); the last answer: 550 no',
    ],
  ],
  'rejections-of-last': [
    [
      { count: 30, last: 100, domains: ['a.example', 'b.example'], reply: '550 no' },
      '30 of the last 100 answers are about us, from 2 domains (a.example, b.example); the last answer: 550 no',
    ],
  ],
  'refusals-in-a-row': [
    [
      { count: 50, reply: '553 5.7.1 <a@magazine.example>: Sender address rejected: not owned by user weekly' },
      '50 refusals in a row, and nothing taken between; the last answer: 553 5.7.1 <a@magazine.example>: Sender address rejected: not owned by user weekly. Set relay.personalReturnPath: false, so that all messages have one envelope sender, and relay.returnPath to an address that the relay lets this account send from.',
    ],
  ],
  'canary-refused': [
    [
      { refused: 3, tried: 10, recipients: 9000, provider: 'a.example', allowedPercent: 2.5, reply: '550 no' },
      'canary: 3 of the first 10, of 9000 at a.example, were refused or put off by policy, where at most 2.5 % may be; for example "550 no"',
    ],
  ],
  'canary-empty': [
    [{ provider: 'a.example' }, 'canary: nobody is left in the first share at a.example; sending continues'],
  ],
  'canary-passed': [
    [
      { refused: 0, tried: 10, provider: 'a.example', waitMs: 2 * hour },
      'canary: 0 of the first 10 at a.example were refused or put off by policy after 2 h; sending continues',
    ],
  ],
  'canary-removed': [[{ provider: 'a.example' }, 'the digest has no canary any more: sending to a.example continues']],
  'canary-overruled': [[{ provider: 'a.example' }, 'canary overruled: sending to a.example continues']],
  'nothing-due': [[{}, 'nothing is due before']],
  'window-closed': [
    [{ until: at, zone }, 'the send window opens on Friday 27 November 2026 at 07:00 in Europe/London'],
  ],
  'warm-up-used': [
    [
      { count: 50, date: '2026-11-26', until: at, zone },
      'the warm-up has reached its maximum of 50 messages on 2026-11-26; sending continues on Friday 27 November 2026 at 07:00 in Europe/London',
    ],
  ],
  'relay-quota-used': [
    [
      { relay: 'second', count: 100, date: '2026-11-27' },
      'the relay second has reached its maximum of 100 messages on 2026-11-27',
    ],
  ],
  'canary-unfinished': [
    [{ provider: 'a.example', count: 90 }, '90 at a.example wait until the first of them have theirs'],
  ],
  'canary-undecided': [
    [
      { provider: 'a.example', count: null, until: null, zone: null },
      'the others at a.example wait for what the first of them are answered',
    ],
    [
      { provider: 'a.example', count: 90, until: at, zone },
      '90 at a.example wait for what the first of them are answered, until Friday 27 November 2026 at 07:00 in Europe/London',
    ],
  ],
  'provider-slow': [[{ provider: 'a.example', reason: slowDown }, 'a.example is slow: 421 4.7.28 unusual rate']],
  'provider-rate': [
    [
      { provider: 'a.example', relay: 'second', perSecond: 0.1, since: at, zone, reason: slowDown },
      'a.example is slow: 421 4.7.28 unusual rate; it gets 6 messages a minute over second, slowed on Friday 27 November 2026 at 07:00 in Europe/London',
    ],
    ...([0.5, 1, 12.4] as const).map((perSecond): [ReasonValues['provider-rate'], string] => [
      { provider: 'a.example', relay: null, perSecond, since: at, zone, reason: slowDown },
      `a.example is slow: 421 4.7.28 unusual rate; it gets ${
        { 0.5: '0.5 messages', 1: '1 message', 12.4: '12 messages' }[perSecond]
      } a second, slowed on Friday 27 November 2026 at 07:00 in Europe/London`,
    ]),
  ],
  'slow-down-reply': [[{ reply: '421 busy' }, '421 busy']],
  'slow-replies': [[{ tookMs: 25_000 }, 'an answer took 25 s']],
  'local-hour': [[{ count: 3, at, zone }, '3 wait for their hour, Friday 27 November 2026 at 07:00 in Europe/London']],
  'later-hours': [[{ count: 9 }, '9 wait for a later hour']],
  'seal-retried': [
    [{ reason: { code: 'empty-subject' } }, 'it could not be sealed, and is retried: its subject is empty'],
  ],
  'asked-to-stop': [[{}, 'asked to stop']],
  'all-sending-stopped': [
    [
      { at, who: 'Ada', words: 'the wrong list' },
      'all sending has been stopped since 2026-11-27T07:00:00.000Z by Ada: the wrong list',
    ],
  ],
  paused: [[{ reason: { code: 'no-articles' } }, 'paused: there is no article in it']],
  'sending-error': [[{ message: 'no such key' }, 'internal error: no such key']],
  'relay-down': [
    [{ relay: null, reply: '421 later' }, 'the relay takes no messages: 421 later'],
    [{ relay: 'second', reply: '421 later' }, 'the relay second takes no messages: 421 later'],
  ],
  'no-relay': [[{}, 'there is no relay']],
  'relay-distrusted': [
    [
      { relay: 'second', reason: { code: 'relay-takes-nothing', reply: '550 no' } },
      'the relay second is left alone: it accepts nothing; its last answer: 550 no',
    ],
  ],
  left: [[{ at }, 'unsubscribed on 2026-11-27T07:00:00.000Z']],
  suppressed: [
    [{ at, reason: null }, 'suppressed on 2026-11-27T07:00:00.000Z'],
    [
      { at, reason: { code: 'refused', cause: 'mailbox-disabled', reply: '550 closed' } },
      'suppressed on 2026-11-27T07:00:00.000Z: the mailbox is closed: 550 closed',
    ],
  ],
  'edition-cancelled': [
    [{ reason: null }, 'the edition was cancelled'],
    [{ reason: { code: 'by-hand', words: 'old news' } }, 'the edition was cancelled: old news'],
  ],
  'sender-stopped': [[{}, 'the sender stopped before the relay had answered']],
  'reply-not-recorded': [[{}, 'the answer of the relay could not be recorded']],
  'no-connection': [[{ host: 'a.example', port: 25, message: 'refused' }, 'a.example:25: refused']],
  'connection-lost': [[{ message: 'the connection was closed' }, 'the connection was closed']],
  'answered-early': [[{}, 'the relay answered before it had the message']],
  'invalid-address': [[{ address: '"a b"' }, '"a b" is not an address that SMTP can write']],
  'no-smtputf8': [[{ address: 'é@a.example' }, 'the relay does not take é@a.example: it offers no SMTPUTF8']],
  'message-too-large': [[{ bytes: 900, maximum: 300 }, 'the message has 900 bytes, and the relay takes at most 300']],
  'given-up': [[{ attempts: 6 }, 'given up after 6 tries']],
  'connection-cut': [[{ forMs: 4 * day }, 'the connection was cut each time for 4 days']],
  refused: [
    [{ cause: 'no-such-mailbox', reply: '550 5.1.1 unknown' }, 'there is no such mailbox: 550 5.1.1 unknown'],
    [{ cause: 'unclear', reply: null }, 'it does not say why'],
  ],
  unsubscribed: [[{ digest: 'weekly', how: 'one-click' }, 'unsubscribed from weekly by one-click']],
  resubscribed: [
    [
      { digest: 'weekly', how: 'page', askedAt: at, confirmedAt: at },
      'asked for by page on 2026-11-27T07:00:00.000Z, confirmed by the link in an email on 2026-11-27T07:00:00.000Z',
    ],
  ],
  released: [
    [
      { who: 'Ada', words: 'she wrote to us', suppressedAt: at, reason: { code: 'complained', text: 'complained' } },
      'by Ada: she wrote to us; it was suppressed on 2026-11-27T07:00:00.000Z: complained',
    ],
    [
      { who: 'Ada', words: null, suppressedAt: at, reason: null },
      'by Ada; it was suppressed on 2026-11-27T07:00:00.000Z',
    ],
  ],
  imported: [
    [{ ...imported, standing: 'active' }, 'import of people.csv, line 2'],
    [
      { ...imported, standing: 'pending' },
      'not confirmed elsewhere before the import (status: x), import of people.csv, line 2',
    ],
    [{ ...imported, standing: 'left' }, 'left elsewhere before the import (status: x), import of people.csv, line 2'],
    [
      { ...imported, standing: 'bounced', column: null, tool: 'Mailchimp' },
      'bounced in Mailchimp before the import (x), import of people.csv, line 2',
    ],
    [
      { ...imported, standing: 'complained', isBroken: true },
      'complained of spam elsewhere before the import (status: x), import of people.csv, line 2, which is broken',
    ],
  ],
  complained: [[{ text: 'complained of spam elsewhere' }, 'complained of spam elsewhere']],
  subscription: [[{ digest: 'weekly', text: 'weekly, by page' }, 'weekly, by page']],
  'feed-status': [[{ status: 404, message: 'a.example answered 404' }, 'a.example answered 404']],
  'feed-unreachable': [[{ message: 'a.example did not answer in time' }, 'a.example did not answer in time']],
  'feed-unreadable': [[{ message: 'it is empty' }, 'it is empty']],
  'feed-not-saved': [[{ message: 'disk full' }, 'it cannot be saved: disk full']],
  'feed-new': [[{}, 'not fetched yet']],
  'feed-works': [
    [{ weekly: null }, 'works; it never had an article'],
    [{ weekly: 1 }, 'works; 1 article a week'],
    [{ weekly: 3.5 }, 'works; 3.5 articles a week'],
    [{ weekly: 2240 }, 'works; 2,240 articles a week'],
  ],
  'feed-failing': [
    [
      { failingMs: 3 * day, failures: 1, error: silent },
      'has failed for 3 days (once): news.example did not answer in time',
    ],
    [
      { failingMs: 3 * day, failures: 12, error: silent },
      'has failed for 3 days (12 times in a row): news.example did not answer in time',
    ],
  ],
  'feed-silent': [
    [
      { silentMs: 30 * day, longestMs: 9 * day },
      'has had nothing new for 30 days; it was never silent for longer than 9 days',
    ],
  ],
  'feed-gone': [[{ since: at }, 'is gone permanently since 2026-11-27: we no longer fetch it']],
  'articles-wait': [
    [
      { count: 1, reason: flood },
      'has 1 article that waits for an editor: 1,200 new articles at once, where 1.5 are usual',
    ],
    [
      { count: 26, reason: flood },
      'has 26 articles that wait for an editor: 1,200 new articles at once, where 1.5 are usual',
    ],
  ],
  flood: [[{ count: 26, usual: 3 }, '26 new articles at once, where 3 are usual']],
  'known-articles': [[{ count: 26 }, '26 new articles at once whose address or title this feed had before']],
  'feed-changed-hands': [
    [
      { title: 'Lucky Reels', siteUrl: 'https://reels.example/' },
      'the feed seems to have another publisher now: “Lucky Reels” https://reels.example/',
    ],
  ],
  'feed-refused': [
    [
      { title: 'Lucky Reels', siteUrl: 'https://reels.example/' },
      'belongs to another publisher, “Lucky Reels” https://reels.example/: an editor said that it is not ours',
    ],
  ],
  'feed-not-ours': [[{}, 'an editor said that the feed has another publisher']],
  'link-not-public': [[{}, 'its link leads to a private network, or to the reader’s own machine']],
  'link-with-password': [[{}, 'its link holds a user name or a password']],
  'link-too-long': [[{ maximum: 2000 }, 'its link has more than 2000 characters']],
  'link-not-web': [[{}, 'its link is not an address of the web']],
  'empty-entry': [[{}, 'nothing in it: no title, no text, no link']],
  'duplicate-entry': [[{}, 'it is twice in this feed']],
  'feed-cut-off': [[{}, 'the feed is cut off in the middle of it']],
  'entries-not-read': [[{ count: 5, read: 500 }, '5 more entries than the 500 that are read at once']],
  'feed-headline': [[{ source: 'Harbour' }, 'Harbour shows this headline now']],
  'feed-note': [[{ source: 'Harbour' }, 'Harbour shows this note']],
  'page-headline': [[{}, 'its page has this headline now']],
  'page-note': [[{}, 'its page shows this note']],
  'note-maybe-older': [[{}, 'it may have been there before the edition was sealed']],
  'changed-fact': [
    [{ fact: 'number', was: '5', now: '6' }, '“5” is now “6”'],
    [{ fact: 'name', was: 'Ruis', now: 'Ruiz' }, '“Ruis” is now “Ruiz”'],
    [{ fact: 'meaning', was: 'UK', now: 'England' }, '“UK” is now “England”'],
    [{ fact: 'negation-added', was: '', now: 'not' }, '“not” was added'],
    [{ fact: 'negation-removed', was: 'refuses', now: '' }, '“refuses” was removed'],
  ],
  'page-answer': [[{ answer: 'a.example answered 410' }, 'a.example answered 410']],
  'withdrawn-by': [[{ who: 'Ada' }, 'Ada withdrew the correction that was printed']],
  'page-back': [[{}, 'the page is back']],
  'headline-now': [[{ title: 'Trams return' }, 'the headline is “Trams return”']],
  'headline-other': [[{}, 'the headline is another one']],
  'note-removed': [[{}, 'the note is not there any more']],
  dropped: [
    [{ who: 'Ada', isExcluded: false }, 'dropped by Ada'],
    [{ who: 'Ada', isExcluded: true }, 'dropped by Ada, also from every later edition'],
  ],
  pinned: [[{ who: 'Ada' }, 'pinned by Ada']],
  'edit-pin': [[{ headline: 'Trams', section: 'latest' }, 'pinned “Trams” in latest']],
  'edit-move': [[{ headline: 'Trams', section: 'latest' }, 'moved “Trams” to latest']],
  'edit-drop': [[{ headline: 'Trams' }, 'dropped “Trams”']],
  'edit-exclude': [[{ headline: 'Trams' }, 'dropped “Trams” from this and every later edition']],
  'edit-order': [[{ section: 'latest' }, 'reordered latest']],
  'edit-reword': [
    [{ headline: 'Trams', title: null, hasSummary: true }, 'reworded the summary of “Trams”'],
    [{ headline: 'Trams', title: 'Buses', hasSummary: false }, 'reworded the headline “Trams” as “Buses”'],
    [
      { headline: 'Trams', title: 'Buses', hasSummary: true },
      'reworded the headline “Trams” as “Buses”, and its summary',
    ],
  ],
  'edit-picture': [
    [{ headline: 'Trams', isRemoved: false }, 'changed the picture of “Trams”'],
    [{ headline: 'Trams', isRemoved: true }, 'removed the picture of “Trams”'],
  ],
  'edit-text': [
    [{ field: 'subject', text: null }, 'removed the subject'],
    [{ field: 'introduction', text: 'Hello' }, 'wrote the introduction: “Hello”'],
  ],
  'edit-block': [[{ heading: 'Events' }, 'wrote the block “Events”']],
}

test.each(Object.entries(examples))('%s has its sentence', (code, cases) => {
  for (const [values, text] of cases) expect(describeReason({ code, ...values } as Reason)).toBe(text)
})

test('every message of a reason belongs to a code, and none is missing', () => {
  expect([...messages().reasons.keys()].sort()).toEqual(Object.keys(examples).sort())
})

test('every cause of a refusal has its own sentence', () => {
  const sentences = Object.keys(causes).map((cause) => describeReason({ code: 'refused', cause, reply: null }))
  expect(new Set(sentences).size).toBe(Object.keys(causes).length)
})

test('further reasons follow the first, and a reason reads the same from the store', () => {
  const reason: Reason = { code: 'no-articles', also: [{ code: 'empty-subject' }, { code: 'newer-sent', number: 4 }] }
  const text = 'there is no article in it; its subject is empty; a newer edition was sent already: number 4'
  expect(describeReason(reason)).toBe(text)
  expect(describeReason(toJson(reason))).toBe(text)
  expect(reasonWithText(toJson(reason))).toEqual({ ...reason, text })
})

test('a sentence has a capital and a full stop, unless it begins with a setting or an address', () => {
  expect(describeLine({ code: 'no-articles' })).toBe('There is no article in it')
  expect(describeSentence({ code: 'no-articles' })).toBe('There is no article in it.')
  expect(describeSentence({ code: 'setting', fault: 'sample', ...setting })).toMatch(/^web\.url is .*\.$/)
  expect(describeLine({ code: 'text', text: 'https://a.example fails' })).toBe('https://a.example fails')
})

test('a value that is missing, and a code without a message, are errors', () => {
  expect(() => describeReason({ code: 'replaced' } as unknown as Reason)).toThrow('{number}')
  expect(() => describeReason({ code: 'nothing' } as unknown as Reason)).toThrow('nothing')
})
