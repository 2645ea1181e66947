import { forTerminal, jsonForTerminal, showsSomething, withoutInvisible } from '../../src/characters.ts'
import { adviceFor, causeOf } from '../../src/deliveries/answers.ts'
import { isDeferredByPolicy, isGreylisting, isServerState, retryAfterMs } from '../../src/deliveries/deferrals.ts'
import { oneLine, readable } from '../../src/deliveries/reply-text.ts'
import { signInReply } from '../../src/deliveries/sign-in-reply.ts'
import { alike, countWords } from '../../src/editions/titles.ts'
import { blocksOf, mainBlocks } from '../../src/feeds/blocks.ts'
import { toBlocks } from '../../src/feeds/body-blocks.ts'
import { monthOf } from '../../src/feeds/calendar.ts'
import { cleanBody } from '../../src/feeds/clean-body.ts'
import { noteIn, noteInTexts, noteOnPage } from '../../src/feeds/correction-note.ts'
import { readDate } from '../../src/feeds/dates.ts'
import { decodeText } from '../../src/feeds/decode.ts'
import { isTooDeep } from '../../src/feeds/depth.ts'
import { feedLinks, headerLinks } from '../../src/feeds/discover.ts'
import { readAgain } from '../../src/feeds/encoded-twice.ts'
import { standsElsewhere } from '../../src/feeds/follow.ts'
import { headTags } from '../../src/feeds/head.ts'
import { attributesIn, endOfHidden, mayShowAgain, visibilityIn, visible } from '../../src/feeds/hidden-text.ts'
import { readJsonFeed } from '../../src/feeds/json-entry.ts'
import { longest } from '../../src/feeds/longest.ts'
import { firstPicture, isTiny, numberOf, secondsOf } from '../../src/feeds/media.ts'
import { isNestedDeeper, mendJson } from '../../src/feeds/mend-json.ts'
import { knownPrefixes, localName } from '../../src/feeds/names.ts'
import { normalise } from '../../src/feeds/normalise.ts'
import { readOpml } from '../../src/feeds/opml.ts'
import { headOf, readPage } from '../../src/feeds/page.ts'
import { readState } from '../../src/feeds/page-state.ts'
import { textOfPage } from '../../src/feeds/page-text.ts'
import { parseHere } from '../../src/feeds/parse.ts'
import { personName } from '../../src/feeds/person-name.ts'
import { compileRules, mayFetch, readRobots } from '../../src/feeds/robots.ts'
import { findRoot } from '../../src/feeds/root.ts'
import { firstWords, wholeSentences, wholeWords } from '../../src/feeds/sentences.ts'
import * as text from '../../src/feeds/text.ts'
import { afterSilent, looksLikeHtml, plainText, shortText, summaryText, tagEnd } from '../../src/feeds/text.ts'
import { absolute, baseOf, isHostile, isTooLong, siteAddress, webAddress, withoutUser } from '../../src/feeds/url.ts'
import { secondsWished } from '../../src/feeds/wish.ts'
import { tidyText } from '../../src/messages/tidy.ts'
import { visibleIn } from '../../src/messages/visible.ts'
import { canonicalAddress, folded, isFrontPage, titleKey, titleWords } from '../../src/store/canonical.ts'
import { addressKey, parseAddress, readAddress } from '../../src/subscribers/address.ts'
import { describeInvisible, trimInvisible } from '../../src/subscribers/invisible.ts'
import { nameIn, tidyName } from '../../src/subscribers/name.ts'
import { columnOf } from '../../src/subscribers/state-headings.ts'
import { answerOf, instantOf, isUnmistakable, meaningOf, spell, wordsOf } from '../../src/subscribers/state-words.ts'

/**
 * A function that reads strangers' text. `file` is its file under src, `name` its export, `where` the place of the text in
 * what it is given; `longest` the length up to which it is tried: the most that it is ever given, or enough to show how it
 * grows.
 */
export type Reader = {
  file: string
  name: string
  where?: string
  longest: number
  read(text: string): unknown
}

const base = 'https://harbour.example/feed'
const page = { url: base, contentType: 'text/html' }
const enough = 24 * 1024
const html = (value: string) => ({ value, kind: 'html' as const })
const perhaps = (value: string) => ({ value, kind: 'perhaps-html' as const })
const all = (things: Iterable<unknown>) => [...things].length

const feedReader = (where: string, wrap: (text: string) => string): Reader => ({
  file: 'feeds/parse.ts',
  name: 'parseHere',
  where,
  longest: where === 'description' ? 4 * 1024 : enough / 2,
  read: (value) =>
    parseHere(Buffer.from(wrap(value)), { url: base, contentType: null, bodies: where === 'description' }),
})
const rss = (inside: string) =>
  `<rss version="2.0"><channel><title>T</title><item><title>A</title>${inside}</item></channel></rss>`
const cdata = (value: string) => `<![CDATA[${value.replaceAll(']]>', ']]')}]]>`
const many = (value: string, make: (part: string) => string) => (value.match(/[\s\S]{1,300}/g) ?? []).map(make).join('')
const jsonItem = (item: object) => JSON.stringify({ items: [{ id: '1', title: 'A', ...item }] })

/** Every reader; a new one is added here, with the most that it is given. */
export const readers: Reader[] = [
  ...['title', 'link', 'guid', 'description', 'author', 'category', 'pubDate'].map((name) =>
    feedReader(name, (value) => rss(`<${name}>${cdata(value)}</${name}>`)),
  ),
  feedReader('as it is', (value) => value),
  feedReader('inside an item', (value) => rss(value)),
  feedReader('inside an attribute', (value) => rss(`<enclosure type="image/png" url="${value}"/>`)),
  feedReader('many authors and categories', (value) =>
    rss(many(value, (part) => `<dc:creator>${cdata(part)}</dc:creator><category>${cdata(part)}</category>`)),
  ),
  feedReader('many items', (value) => rss(many(value, (part) => `</item><item><link>${cdata(part)}</link>`))),
  feedReader('JSON', (value) => jsonItem({ url: value, content_html: value, authors: [{ name: value }] })),
  feedReader('JSON that is not whole', (value) => `{"items":[{"title":${value}`),
  ...of('feeds/url.ts', {
    absolute: [enough, (value) => absolute(value, base)],
    isTooLong: [enough, (value) => isTooLong(value, base)],
    webAddress: [enough, (value) => webAddress(value, base)],
    withoutUser: [longest.address, withoutUser],
    siteAddress: [enough, siteAddress],
    isHostile: [enough, isHostile],
    baseOf: [enough, (value) => baseOf([value, value], base)],
  }),
  ...of('feeds/text.ts', {
    plainText: [enough, (value) => plainText(perhaps(value), 10_000)],
    shortText: [enough, (value) => shortText(html(value), longest.title)],
    summaryText: [enough, (value) => summaryText(perhaps(value))],
    looksLikeHtml: [enough, looksLikeHtml],
    tagEnd: [enough, (value) => tagEnd(`<a${value}`, 0)],
    afterSilent: [enough, (value) => afterSilent(value, 'script', 0)],
    withoutInvisible: [enough, text.withoutInvisible],
  }),
  ...of('feeds/sentences.ts', {
    wholeSentences: [longest.bodyText, (value) => wholeSentences(`${value}.`, longest.bodyText)],
    firstWords: [enough, (value) => firstWords(value)],
    wholeWords: [longest.bodyText, (value) => wholeWords(value, longest.bodyText)],
  }),
  ...of('feeds/media.ts', {
    firstPicture: [enough, (value) => [firstPicture(value, base), firstPicture(`<img src="${value}">`, base)]],
    isTiny: [enough, (value) => isTiny({ width: `1${value}`, height: value })],
    numberOf: [enough, (value) => numberOf(`1${value}`)],
    secondsOf: [enough, (value) => secondsOf(`PT1${value}`)],
  }),
  ...of('feeds/correction-note.ts', {
    noteInTexts: [enough, (value) => noteInTexts([perhaps(`<p>correction ${value}`)])],
    noteOnPage: [enough, (value) => noteOnPage(`<article><p>Correction: ${value}`)],
    noteIn: [20_000, (value) => noteIn([`Correction: ${value}`, `this ${value}`])],
  }),
  ...of('feeds/robots.ts', {
    readRobots: [enough, (value) => [readRobots(value), readRobots(`user-agent: *\ndisallow: /${value}`)]],
    compileRules: [longest.address, (value) => compileRules([{ path: value, allow: true }])],
    mayFetch: [
      longest.address,
      (value) => mayFetch(robotsRules, `https://harbour.example/${encodeURI(value.toWellFormed())}`),
    ],
  }),
  ...of('feeds/discover.ts', {
    feedLinks: [enough, (value) => feedLinks(`${many(value, feedLink)}${value}`, base)],
    headerLinks: [enough, (value) => headerLinks(`<a>${value}`, base)],
  }),
  ...of('feeds/blocks.ts', {
    blocksOf: [enough, (value) => all(blocksOf(value))],
    mainBlocks: [enough, (value) => mainBlocks(`<article>${value}`)],
  }),
  ...of('feeds/page.ts', {
    readPage: [enough, (value) => [value, `<meta name="author" content="${value}">`].map((one) => readPage(one, base))],
    headOf: [enough, (value) => headOf(`<script type="application/ld+json">${value}</script>`)],
  }),
  ...of('feeds/mend-json.ts', {
    mendJson: [enough, (value) => mendJson(`[${value}`)],
    isNestedDeeper: [enough, (value) => isNestedDeeper(value, 1_000_000)],
  }),
  ...of('feeds/names.ts', {
    knownPrefixes: [enough, (value) => knownPrefixes(`<rss ${many(value, (part) => `xmlns:a="${part}`)}`)],
    localName: [enough, localName],
  }),
  ...of('feeds', {
    'body-blocks.ts toBlocks': [enough, (value) => toBlocks(value, base)],
    'calendar.ts monthOf': [100, monthOf],
    'clean-body.ts cleanBody': [8 * 1024, (value) => cleanBody(perhaps(value), base)],
    'dates.ts readDate': [400, (value) => [readDate(value), readDate(`20 Nov ${value}`), readDate(`2026-11-${value}`)]],
    'decode.ts decodeText': [enough, (value) => decodeText(bytesOf(value), null)],
    'depth.ts isTooDeep': [enough, (value) => isTooDeep(value, 1_000_000)],
    'encoded-twice.ts readAgain': [enough, (value) => readAgain(`Ã¶${value}`)],
    'follow.ts standsElsewhere': [longest.address, (value) => standsElsewhere(`https://${value}`, base)],
    'head.ts headTags': [enough, (value) => all(headTags(value))],
    'json-entry.ts readJsonFeed': [enough, (value) => readJsonFeed(`{"items":[${JSON.stringify(value)},${value}`)],
    'normalise.ts normalise': [enough, (value) => [normalise(value), normalise(rss(value))]],
    'opml.ts readOpml': [enough, (value) => readOpml(`<opml><body>${value}</body></opml>`)],
    'page-state.ts readState': [
      enough,
      (value) => readState(`<meta property="og:title" content="${value}">${value}`, base),
    ],
    'page-text.ts textOfPage': [8 * 1024, (value) => textOfPage(Buffer.from(`<article>${value}`), page)],
    'person-name.ts personName': [400, (value) => personName(value)],
    'root.ts findRoot': [enough, (value) => [findRoot(value), findRoot(`<!DOCTYPE a>${value}<a>`)]],
    'wish.ts secondsWished': [
      enough,
      (value) => secondsWished({ minutes: `1${value}`, period: value, frequency: value }),
    ],
  }),
  ...of('feeds/hidden-text.ts', {
    attributesIn: [enough, (value) => attributesIn(`<p ${value}>`)],
    visibilityIn: [enough, (value) => visibilityIn(visible, 'p', { style: value, class: value })],
    endOfHidden: [enough, (value) => endOfHidden(`<div hidden>${value}`, 'div', 12)],
    mayShowAgain: [enough, (value) => mayShowAgain({ ...visible, invisible: true }, value)],
  }),
  ...of('editions/titles.ts', {
    alike: [longest.title, (value) => alike(value, `${value} again`)],
    countWords: [longest.title, countWords],
  }),
  ...of('deliveries/reply-text.ts', { oneLine: [enough, oneLine], readable: [enough, readable] }),
  ...of('deliveries/deferrals.ts', {
    isGreylisting: [enough, isGreylisting],
    isServerState: [enough, isServerState],
    isDeferredByPolicy: [enough, isDeferredByPolicy],
    retryAfterMs: [enough, (value) => retryAfterMs(`451 try again in ${value}`)],
  }),
  ...of('deliveries/answers.ts', {
    causeOf: [enough, (value) => causeOf(`550 ${value}`)],
    adviceFor: [enough, (value) => adviceFor(`550 ${value}`)],
  }),
  ...of('subscribers/address.ts', {
    readAddress: [1000, readAddress],
    parseAddress: [1000, parseAddress],
    addressKey: [enough, addressKey],
  }),
  ...of('subscribers/name.ts', {
    tidyName: [enough, tidyName],
    nameIn: [enough, (value) => nameIn({ 'first name': value, 'last name': value })],
  }),
  ...of('deliveries/sign-in-reply.ts', {
    signInReply: [4 * 1024, (value) => signInReply(`535 5.7.8 ${value}`, ['hunter2-secret'])],
  }),
  ...of('subscribers/state-words.ts', {
    spell: [enough, spell],
    wordsOf: [enough, wordsOf],
    meaningOf: [enough, meaningOf],
    isUnmistakable: [enough, isUnmistakable],
    answerOf: [enough, answerOf],
    instantOf: [enough, instantOf],
  }),
  ...of('subscribers/state-headings.ts', { columnOf: [enough, columnOf] }),
  ...of('subscribers/invisible.ts', {
    trimInvisible: [enough, trimInvisible],
    describeInvisible: [enough, describeInvisible],
  }),
  ...of('messages/visible.ts', { visibleIn: [enough, visibleIn] }),
  ...of('characters.ts', {
    withoutInvisible: [enough, withoutInvisible],
    showsSomething: [enough, showsSomething],
    forTerminal: [enough, (value) => forTerminal(value, '\n')],
    jsonForTerminal: [enough, jsonForTerminal],
  }),
  ...of('store/canonical.ts', {
    canonicalAddress: [longest.address, (value) => canonicalAddress(`https://harbour.example/?${value}`)],
    isFrontPage: [longest.address, (value) => isFrontPage(`https://harbour.example/${value}`)],
    folded: [longest.title, folded],
    titleWords: [longest.title, titleWords],
    titleKey: [longest.title, titleKey],
  }),
  ...of('messages/tidy.ts', { tidyText: [enough, tidyText] }),
]

const robotsRules = compileRules(readRobots(`user-agent: *\n${`disallow: /*${'a*'.repeat(20)}b$\n`.repeat(100)}`))
const feedLink = (part: string) => `<link rel="feed" href="/${encodeURIComponent(part.toWellFormed()).slice(0, 200)}">`

function of(place: string, made: Record<string, [number, (text: string) => unknown]>): Reader[] {
  return Object.entries(made).map(([key, [length, read]]) => {
    const [name = '', file] = key.split(' ').toReversed()
    return { file: file ? `${place}/${file}` : place, name, longest: length, read }
  })
}

/** One byte for each character, so that no encoding is found in them. */
function bytesOf(value: string): Uint8Array {
  return Buffer.from(value, 'latin1')
}

/** What is tried on each of them: this between what comes first and last, as often as the length has room for. */
const units: [unit: string, first?: string, last?: string][] = [
  ...'< > & " \' \\ / . , ; : ( [ { - * % = 1 a \u00ff e\u0301 \ud83d \u0000 \u202e \u2067 \u200d \u{e0041} \u{1f469}\u200d \u0130'
    .split(' ')
    .map((unit): [string] => [unit]),
  ...[
    '<a ',
    '<a b="',
    "<a b='>",
    '<a>',
    '</a>',
    '<p>',
    '<![CDATA[',
    '<!--',
    '<?',
    '<!a[>',
    ']',
    '<style>',
    '<img src="',
  ],
  ...[
    '&amp;',
    '&#x',
    '&lt;',
    '\\"',
    '"\\',
    '[]',
    '{"a":',
    ',\n',
    '""',
    'a@',
    'a@a.',
    'a ',
    '\n',
    '\n ',
    ' .',
    '. A',
    ' The post ',
  ],
  ...[
    'http://',
    'http://a@',
    'http://[',
    'a=1&',
    '../',
    'xmlns:a="',
    'correction: ',
    'this article ',
    'earlier version of ',
  ],
  ...[
    'user-agent: *\n',
    'disallow: /*b\n',
    '<item>',
    '<entry>',
    '<link rel="feed" href="',
    '<outline>',
    '1:',
    'PT1M',
    '\u00c3\u00a9',
  ],
].map((unit) => (typeof unit === 'string' ? [unit] : unit))
units.push(
  [' ', 'a', 'b'],
  [' ', '1', 'x'],
  ['a', 'http://', ' b'],
  ['\t', '', 'x'],
  ['a', '<a b="', ''],
  [' ', 'xmlns:a="', "'"],
)

export const shapes: { name: string; make(length: number): string }[] = units.map(([unit, first = '', last = '']) => ({
  name: JSON.stringify(`${first}${unit}…${last}`),
  make: (length) => first + unit.repeat(Math.ceil(length / unit.length)).slice(0, length) + last,
}))

/** Files beside src/feeds whose exports read strangers' texts too. */
export const alsoWatched = [
  ...['characters.ts', 'store/canonical.ts', 'messages/tidy.ts', 'messages/visible.ts', 'editions/titles.ts'],
  ...['deliveries/reply-text.ts', 'deliveries/deferrals.ts', 'deliveries/answers.ts'],
  ...['subscribers/address.ts', 'subscribers/name.ts', 'subscribers/invisible.ts'],
  ...['subscribers/state-words.ts', 'subscribers/state-headings.ts'],
  ...['deliveries/sign-in-reply.ts'],
]

/** Exports that take texts and are tried in another way, or are not a stranger's: by the reason. */
export const exceptions: Record<string, string[]> = {
  'read as a part of a feed: parseHere has the shapes in every field': [
    ...[
      'toParsedFeed',
      'elementNamer',
      'attributeNamer',
      'isEntryName',
      'children',
      'allChildren',
      'textOf',
      'attribute',
    ],
    ...['texts', 'editsOf', 'scanBody', 'withTexts', 'readSpareFeed', 'nextTag', 'rememberingFind', 'readXmlFeed'],
    ...['mediaOf', 'imagesOf', 'videoOf', 'mediaTitles'],
  ],
  'read as a part of a page: readPage and readState have the shapes': ['records', 'string'],
  'hands bytes to a worker': ['parseFeed', 'readInWorker', 'read', 'contextOf', 'discoverFeed', 'askAgain'],
  'asks the network, and what comes goes to a worker': [
    ...['enrichArticles', 'followAddresses', 'mayAsk', 'forbiddenBy', 'refreshFeeds', 'refreshDueFeeds', 'openFetcher'],
    ...['openClient', 'bodyOf', 'readAtMost', 'discard', 'unpack', 'isGzip'],
  ],
  'a header, of which the client takes 16 KB in all': ['header', 'maxAgeOf', 'retryAfterOf'],
  'an address that the client has parsed, or an IP address': ['refusal', 'literalAddress', 'isAllowed', 'isUnsafePort'],
  'makes a sentence of a value that has been cut': ['failed', 'placeOf', 'meaning', 'failureText', 'rejectionText'],
  'rows and settings of ours': [
    'addressOf',
    'healthOf',
    'watchedFeeds',
    'heldByFeed',
    'writeOpml',
    'inLanes',
    'paceOf',
    'afterSuccess',
    'afterFailure',
  ],
  'a view made of fields that have been cut; tidyText reads each': ['tidyView'],
}
