import { maxLength } from '../../../src/config/field-limits.ts'
import { areTitlesAlike, countTitleWords } from '../../../src/editions/stories/titles.ts'
import { blocksOf, mainBlocks } from '../../../src/feeds/markup/blocks.ts'
import { toBlocks } from '../../../src/feeds/markup/body-blocks.ts'
import { cleanBody } from '../../../src/feeds/markup/clean-body.ts'
import { noteIn, noteInTexts, noteOnPage } from '../../../src/feeds/markup/correction-note.ts'
import { isTooDeep } from '../../../src/feeds/markup/depth.ts'
import { isSameText, lettersOf, withoutEnding, withoutEndings } from '../../../src/feeds/markup/endings/endings.ts'
import { isRequest } from '../../../src/feeds/markup/endings/request-rules.ts'
import { isStruck, mayShowAgain, visibilityIn, visible } from '../../../src/feeds/markup/hidden-text.ts'
import { holdsTags, isMarkup, looksLikeHtml } from '../../../src/feeds/markup/html-guess.ts'
import { linesOf } from '../../../src/feeds/markup/lines.ts'
import { nextNumber, numberingOf, wholeNumber, writtenNumber } from '../../../src/feeds/markup/list-numbers.ts'
import { isFurniture } from '../../../src/feeds/markup/page-furniture.ts'
import { subscript, superscript } from '../../../src/feeds/markup/raised-text.ts'
import { firstWords, wholeSentences, wholeWords } from '../../../src/feeds/markup/sentences.ts'
import { simplify } from '../../../src/feeds/markup/simplify.ts'
import { summaryText, summaryWords } from '../../../src/feeds/markup/summary.ts'
import { joinSurrogateHalves } from '../../../src/feeds/markup/surrogates.ts'
import { readTable } from '../../../src/feeds/markup/tables.ts'
import * as text from '../../../src/feeds/markup/text.ts'
import { foldWhitespace, plainText, shortText, strippedText, titleText } from '../../../src/feeds/markup/text.ts'
import { type Dialect, Tokeniser } from '../../../src/feeds/markup/tokeniser.ts'
import { readOpml } from '../../../src/feeds/opml.ts'
import { withoutScheme } from '../../../src/feeds/parse/article/article.ts'
import { authorLine } from '../../../src/feeds/parse/article/authors.ts'
import { readLink } from '../../../src/feeds/parse/article/link.ts'
import { redirectorTarget } from '../../../src/feeds/parse/article/redirectors.ts'
import { monthNumber } from '../../../src/feeds/parse/calendar.ts'
import { dateOrder } from '../../../src/feeds/parse/date-order.ts'
import { readDate } from '../../../src/feeds/parse/dates.ts'
import { decodeText } from '../../../src/feeds/parse/decode.ts'
import { repairDoubleEncoding } from '../../../src/feeds/parse/double-encoding.ts'
import { detectEncoding } from '../../../src/feeds/parse/encoding/detect-encoding.ts'
import { likelyEncodings } from '../../../src/feeds/parse/encoding/hints.ts'
import { strangeShare, thaiConfidence } from '../../../src/feeds/parse/encoding/plausible-text.ts'
import { readJsonFeed } from '../../../src/feeds/parse/json-feed.ts'
import { parseDurationSeconds, parsePixels } from '../../../src/feeds/parse/media.ts'
import { feedLinks, headerLinks } from '../../../src/feeds/parse/page/feed-links.ts'
import { headTags } from '../../../src/feeds/parse/page/head.ts'
import { readHead, readPageFacts } from '../../../src/feeds/parse/page/page-facts.ts'
import { readPageState } from '../../../src/feeds/parse/page/page-state.ts'
import { textOfPage } from '../../../src/feeds/parse/page/page-text.ts'
import { parseInThisThread } from '../../../src/feeds/parse/parse-feed.ts'
import { personName } from '../../../src/feeds/parse/person-name.ts'
import { altText } from '../../../src/feeds/parse/pictures/alt-text.ts'
import { picturesOf } from '../../../src/feeds/parse/pictures/html-pictures.ts'
import { isThumbnail, kindOf } from '../../../src/feeds/parse/pictures/rules.ts'
import { bestInSrcset } from '../../../src/feeds/parse/pictures/srcset.ts'
import { isNestedDeeper, repairJson } from '../../../src/feeds/parse/repair-json.ts'
import { updateIntervalSeconds } from '../../../src/feeds/parse/update-interval.ts'
import { knownPrefixes, localName } from '../../../src/feeds/parse/xml/names.ts'
import { findRoot } from '../../../src/feeds/parse/xml/root.ts'
import { readTree } from '../../../src/feeds/parse/xml/tree.ts'
import { acceptableUrl } from '../../../src/http/acceptable-url.ts'
import { clientNetwork } from '../../../src/http/client-network.ts'
import { isLocalAddress, isSameNetwork } from '../../../src/http/local-address.ts'
import { compileRules, mayFetch, readRobots } from '../../../src/http/robots.ts'
import {
  absoluteUrl,
  hostOf,
  hostWithoutWww,
  httpUrl,
  isOffSite,
  isUnsafeUrl,
  isUrlTooLong,
  resolveBase,
  withoutCredentials,
  withSiteScheme,
} from '../../../src/http/url.ts'
import { causeOf, replyMeaning } from '../../../src/mail/reply-rules/answers.ts'
import {
  isDeferredByPolicy,
  isGreylisting,
  isServerState,
  retryAfterMs,
} from '../../../src/mail/reply-rules/deferrals.ts'
import { oneLine, readable } from '../../../src/mail/reply-rules/reply-text.ts'
import { signInReply } from '../../../src/mail/smtp/auth/sign-in-reply.ts'
import { readVisible } from '../../../src/messages/visible-text.ts'
import {
  canonicalAddress,
  folded,
  isFrontPage,
  titleKey,
  titleWords,
} from '../../../src/store/articles/canonical-address.ts'
import { addressKey, parseAddress, readAddress } from '../../../src/subscribers/address.ts'
import { classifyColumn } from '../../../src/subscribers/import/headings.ts'
import {
  classifyAnswer,
  isUnmistakable,
  meaningOf,
  normalizeWord,
  parseInstantMs,
  wordsOf,
} from '../../../src/subscribers/import/state-words.ts'
import { describeInvisible, trimInvisible } from '../../../src/subscribers/invisible.ts'
import { nameFromColumns, tidyName } from '../../../src/subscribers/name.ts'
import {
  forTerminal,
  hasVisibleText,
  jsonForTerminal,
  removeInvisible,
  tidyText,
} from '../../../src/text/characters.ts'

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
const defaultMaxLength = 24 * 1024
const html = (value: string) => ({ value, kind: 'html' as const })
const perhaps = (value: string) => ({ value, kind: 'perhaps-html' as const })
const countItems = (things: Iterable<unknown>) => [...things].length

const feedReader = (where: string, wrap: (text: string) => string): Reader => ({
  file: 'feeds/parse/parse-feed.ts',
  name: 'parseInThisThread',
  where,
  longest: where === 'description' ? 4 * 1024 : defaultMaxLength / 2,
  read: (value) =>
    parseInThisThread(Buffer.from(wrap(value)), { url: base, contentType: null, needsBodies: where === 'description' }),
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
  ...readersIn('http/url.ts', {
    absoluteUrl: [defaultMaxLength, (value) => absoluteUrl(value, base)],
    isUrlTooLong: [defaultMaxLength, (value) => isUrlTooLong(value, base)],
    httpUrl: [defaultMaxLength, (value) => httpUrl(value, base)],
    withoutCredentials: [maxLength.address, withoutCredentials],
    withSiteScheme: [defaultMaxLength, withSiteScheme],
    isUnsafeUrl: [defaultMaxLength, isUnsafeUrl],
    resolveBase: [defaultMaxLength, (value) => resolveBase([value, value], base)],
  }),
  ...readersIn('feeds/markup/text.ts', {
    plainText: [defaultMaxLength, (value) => plainText(perhaps(value), 10_000)],
    shortText: [defaultMaxLength, (value) => shortText(html(value), maxLength.title)],
    titleText: [defaultMaxLength, (value) => titleText(perhaps(value), maxLength.title)],
    strippedText: [defaultMaxLength, (value) => strippedText(perhaps(value), 10_000, (one) => one)],
    foldWhitespace: [defaultMaxLength, foldWhitespace],
    cleanCharacters: [defaultMaxLength, text.cleanCharacters],
  }),
  ...readersIn('feeds/markup/html-guess.ts', {
    looksLikeHtml: [defaultMaxLength, looksLikeHtml],
    holdsTags: [defaultMaxLength, holdsTags],
    isMarkup: [defaultMaxLength, isMarkup],
  }),
  ...readersIn('feeds/markup/summary.ts', {
    summaryText: [defaultMaxLength, (value) => summaryText(perhaps(value))],
    summaryWords: [
      defaultMaxLength,
      (value) => summaryWords(perhaps(value), { title: value.slice(0, 500), author: 'A B' }),
    ],
  }),
  ...readersIn('feeds/markup/simplify.ts', {
    simplify: [defaultMaxLength, (value) => [simplify(value, '<br>'), simplify(`<pre>${value}`, '; ')]],
  }),
  ...readersIn('feeds/markup/tables.ts', { readTable: [defaultMaxLength, (value) => readTable(value, {})] }),
  ...readersIn('feeds/markup/surrogates.ts', { joinSurrogateHalves: [defaultMaxLength, joinSurrogateHalves] }),
  ...readersIn('feeds/markup/lines.ts', { linesOf: [defaultMaxLength, (value) => linesOf(perhaps(value), 10_000)] }),
  ...readersIn('feeds/markup/raised-text.ts', {
    superscript: [300, (value) => superscript(value, value)],
    subscript: [300, (value) => subscript(value, value)],
  }),
  ...readersIn('feeds/markup/endings/endings.ts', {
    withoutEnding: [
      4000,
      (value) => withoutEnding({ text: value, hasLink: true, endLink: value, isHeading: false, isItem: false }, value),
    ],
    withoutEndings: [
      4000,
      (value) => withoutEndings([{ text: value, hasLink: true, endLink: '', isHeading: false, isItem: false }], 'A'),
    ],
    isSameText: [defaultMaxLength, (value) => isSameText(value, 'A')],
    lettersOf: [defaultMaxLength, lettersOf],
  }),
  ...readersIn('feeds/markup/list-numbers.ts', {
    numberingOf: [defaultMaxLength, (value) => numberingOf({ start: value, reversed: '' }, value, 0)],
    nextNumber: [defaultMaxLength, (value) => nextNumber({ next: 1, step: 1, type: '' }, value)],
    wholeNumber: [defaultMaxLength, wholeNumber],
    writtenNumber: [100, (value) => writtenNumber(value.length, 'i')],
  }),
  ...readersIn('feeds/markup/endings/request-rules.ts', { isRequest: [1000, isRequest] }),
  ...readersIn('feeds/markup/page-furniture.ts', {
    isFurniture: [defaultMaxLength, (value) => isFurniture('div', { class: value, id: value })],
  }),
  ...readersIn('feeds/markup/sentences.ts', {
    wholeSentences: [maxLength.bodyText, (value) => wholeSentences(`${value}.`, maxLength.bodyText)],
    firstWords: [defaultMaxLength, (value) => firstWords(value)],
    wholeWords: [maxLength.bodyText, (value) => wholeWords(value, maxLength.bodyText)],
  }),
  ...readersIn('feeds/parse/media.ts', {
    parsePixels: [defaultMaxLength, (value) => parsePixels(`1${value}`)],
    parseDurationSeconds: [defaultMaxLength, (value) => parseDurationSeconds(`PT1${value}`)],
  }),
  ...readersIn('feeds/parse/article/authors.ts', {
    authorLine: [defaultMaxLength, (value) => authorLine(value, { surnameFirst: true, ownNames: new Set(['quay']) })],
  }),
  ...readersIn('feeds/parse/article/link.ts', {
    readLink: [
      maxLength.address,
      (value) => readLink([value, `https://${value}@a.example/`, value], { base, feedUrl: base }),
    ],
  }),
  ...readersIn('feeds/parse/article/redirectors.ts', {
    redirectorTarget: [maxLength.address, (value) => redirectorTarget(`https://www.google.com/url?url=${value}`)],
  }),
  ...readersIn('http/client-network.ts', {
    clientNetwork: [defaultMaxLength, (value) => clientNetwork('127.0.0.1', `${value}, ::${value}`)],
  }),
  ...readersIn('http/local-address.ts', {
    isLocalAddress: [maxLength.address, (value) => isLocalAddress(`https://${value}`)],
    isSameNetwork: [maxLength.address, (value) => isSameNetwork(`https://${value}`, value)],
  }),
  ...readersIn('feeds/parse/article/article.ts', { withoutScheme: [maxLength.address, withoutScheme] }),
  ...readersIn('feeds/parse/date-order.ts', {
    dateOrder: [
      defaultMaxLength,
      (value) =>
        dateOrder([`05/11/${value}`, value, `05/11/26 ${value}`], { language: value, now: '2026-11-27T07:00:00.000Z' }),
    ],
  }),
  ...readersIn('feeds/parse/encoding/detect-encoding.ts', {
    detectEncoding: [defaultMaxLength, (value) => detectEncoding(Buffer.from(`\xe9${value}`, 'latin1'))],
  }),
  ...readersIn('feeds/parse/encoding/hints.ts', {
    likelyEncodings: [defaultMaxLength, (value) => likelyEncodings(Buffer.from(`<language>${value}`))],
  }),
  ...readersIn('feeds/parse/encoding/plausible-text.ts', {
    strangeShare: [defaultMaxLength, strangeShare],
    thaiConfidence: [defaultMaxLength, thaiConfidence],
  }),
  ...readersIn('feeds/parse/pictures/srcset.ts', { bestInSrcset: [defaultMaxLength, bestInSrcset] }),
  ...readersIn('feeds/parse/pictures/html-pictures.ts', {
    picturesOf: [
      defaultMaxLength,
      (value) => {
        const url = `https://quay.example/${value.slice(0, maxLength.address)}`
        const picture = { url, width: null, height: null, classes: value, href: value, alt: value }
        const tag = `<img style="${value}" srcset="${value}" data-src="${value}">`
        return [[...picturesOf(value)], [...picturesOf(tag)], kindOf(picture), isThumbnail(picture)]
      },
    ],
  }),
  ...readersIn('feeds/parse/pictures/alt-text.ts', { altText: [defaultMaxLength, (value) => altText(value, value)] }),
  ...readersIn('feeds/markup/correction-note.ts', {
    noteInTexts: [defaultMaxLength, (value) => noteInTexts([perhaps(`<p>correction ${value}`)])],
    noteOnPage: [defaultMaxLength, (value) => noteOnPage(`<article><p>Correction: ${value}`)],
    noteIn: [20_000, (value) => noteIn([`Correction: ${value}`, `this ${value}`])],
  }),
  ...readersIn('http/robots.ts', {
    readRobots: [defaultMaxLength, (value) => [readRobots(value), readRobots(`user-agent: *\ndisallow: /${value}`)]],
    compileRules: [maxLength.address, (value) => compileRules([{ path: value, allow: true }])],
    mayFetch: [
      maxLength.address,
      (value) => mayFetch(robotsRules, `https://harbour.example/${encodeURI(value.toWellFormed())}`),
    ],
  }),
  ...readersIn('feeds/parse/page/feed-links.ts', {
    feedLinks: [defaultMaxLength, (value) => feedLinks(`${many(value, feedLink)}${value}`, base)],
    headerLinks: [defaultMaxLength, (value) => headerLinks(`<a>${value}`, base)],
  }),
  ...readersIn('feeds/markup/blocks.ts', {
    blocksOf: [defaultMaxLength, (value) => countItems(blocksOf(value))],
    mainBlocks: [defaultMaxLength, (value) => mainBlocks(`<article>${value}`)],
  }),
  ...readersIn('feeds/parse/page/page-facts.ts', {
    readPageFacts: [
      defaultMaxLength,
      (value) => [value, `<meta name="author" content="${value}">`].map((one) => readPageFacts(one, base)),
    ],
    readHead: [defaultMaxLength, (value) => readHead(`<script type="application/ld+json">${value}</script>`)],
  }),
  ...readersIn('feeds/parse/repair-json.ts', {
    repairJson: [defaultMaxLength, (value) => repairJson(`[${value}`)],
    isNestedDeeper: [defaultMaxLength, (value) => isNestedDeeper(value, 1_000_000)],
  }),
  ...readersIn('feeds/parse/xml/names.ts', {
    knownPrefixes: [defaultMaxLength, (value) => knownPrefixes(`<rss ${many(value, (part) => `xmlns:a="${part}`)}`)],
    localName: [defaultMaxLength, localName],
  }),
  ...readersIn('', {
    'feeds/markup/body-blocks.ts toBlocks': [defaultMaxLength, (value) => toBlocks(value, base)],
    'feeds/parse/calendar.ts monthNumber': [100, monthNumber],
    'feeds/markup/clean-body.ts cleanBody': [8 * 1024, (value) => cleanBody(perhaps(value), base)],
    'feeds/parse/dates.ts readDate': [
      400,
      (value) => [readDate(value), readDate(`20 Nov ${value}`), readDate(`2026-11-${value}`)],
    ],
    'feeds/parse/decode.ts decodeText': [defaultMaxLength, (value) => decodeText(bytesOf(value), null)],
    'feeds/markup/depth.ts isTooDeep': [defaultMaxLength, (value) => isTooDeep(value, 1_000_000)],
    'feeds/parse/double-encoding.ts repairDoubleEncoding': [
      defaultMaxLength,
      (value) => repairDoubleEncoding(`Ã¶${value}`),
    ],
    'http/acceptable-url.ts acceptableUrl': [defaultMaxLength, (value) => acceptableUrl(`https://${value}`, [])],
    'http/url.ts isOffSite': [maxLength.address, (value) => isOffSite(`https://${value}`, base)],
    'http/url.ts hostWithoutWww': [maxLength.address, (value) => hostWithoutWww(`https://${value}`)],
    'http/url.ts hostOf': [maxLength.address, (value) => hostOf(`https://${value}`)],
    'feeds/parse/page/head.ts headTags': [defaultMaxLength, (value) => countItems(headTags(value))],
    'feeds/parse/json-feed.ts readJsonFeed': [
      defaultMaxLength,
      (value) => readJsonFeed(`{"items":[${JSON.stringify(value)},${value}`),
    ],
    'feeds/parse/xml/tree.ts readTree': [defaultMaxLength * 4, (value) => [readTree(value), readTree(rss(value))]],
    'feeds/markup/tokeniser.ts Tokeniser': [
      defaultMaxLength,
      (value) => (['xml', 'html'] as const).map((dialect) => tokensIn(value, dialect)),
    ],
    'feeds/opml.ts readOpml': [defaultMaxLength, (value) => readOpml(`<opml><body>${value}</body></opml>`)],
    'feeds/parse/page/page-state.ts readPageState': [
      defaultMaxLength,
      (value) => readPageState(`<meta property="og:title" content="${value}">${value}`, base),
    ],
    'feeds/parse/page/page-text.ts textOfPage': [
      8 * 1024,
      (value) => textOfPage(Buffer.from(`<article>${value}`), page),
    ],
    'feeds/parse/person-name.ts personName': [400, (value) => personName(value)],
    'feeds/parse/xml/root.ts findRoot': [
      defaultMaxLength,
      (value) => [findRoot(value), findRoot(`<!DOCTYPE a>${value}<a>`)],
    ],
    'feeds/parse/update-interval.ts updateIntervalSeconds': [
      defaultMaxLength,
      (value) => updateIntervalSeconds({ minutes: `1${value}`, period: value, frequency: value }),
    ],
  }),
  ...readersIn('feeds/markup/hidden-text.ts', {
    visibilityIn: [defaultMaxLength, (value) => visibilityIn(visible, 'p', { style: value, class: value })],
    isStruck: [defaultMaxLength, (value) => isStruck('p', { style: `line-through${value}` })],
    mayShowAgain: [defaultMaxLength, (value) => mayShowAgain({ ...visible, isInvisible: true }, value)],
  }),
  ...readersIn('editions/stories/titles.ts', {
    areTitlesAlike: [maxLength.title, (value) => areTitlesAlike(value, `${value} again`)],
    countTitleWords: [maxLength.title, countTitleWords],
  }),
  ...readersIn('mail/reply-rules/reply-text.ts', {
    oneLine: [defaultMaxLength, oneLine],
    readable: [defaultMaxLength, readable],
  }),
  ...readersIn('mail/reply-rules/deferrals.ts', {
    isGreylisting: [defaultMaxLength, isGreylisting],
    isServerState: [defaultMaxLength, isServerState],
    isDeferredByPolicy: [defaultMaxLength, isDeferredByPolicy],
    retryAfterMs: [defaultMaxLength, (value) => retryAfterMs(`451 try again in ${value}`)],
  }),
  ...readersIn('mail/reply-rules/answers.ts', {
    causeOf: [defaultMaxLength, (value) => causeOf(`550 ${value}`)],
    replyMeaning: [defaultMaxLength, (value) => replyMeaning(`550 ${value}`)],
  }),
  ...readersIn('subscribers/address.ts', {
    readAddress: [1000, readAddress],
    parseAddress: [1000, parseAddress],
    addressKey: [defaultMaxLength, addressKey],
  }),
  ...readersIn('subscribers/name.ts', {
    tidyName: [defaultMaxLength, tidyName],
    nameFromColumns: [defaultMaxLength, (value) => nameFromColumns({ 'first name': value, 'last name': value })],
  }),
  ...readersIn('mail/smtp/auth/sign-in-reply.ts', {
    signInReply: [4 * 1024, (value) => signInReply(`535 5.7.8 ${value}`, ['hunter2-secret'])],
  }),
  ...readersIn('subscribers/import/state-words.ts', {
    normalizeWord: [defaultMaxLength, normalizeWord],
    wordsOf: [defaultMaxLength, wordsOf],
    meaningOf: [defaultMaxLength, meaningOf],
    isUnmistakable: [defaultMaxLength, isUnmistakable],
    classifyAnswer: [defaultMaxLength, classifyAnswer],
    parseInstantMs: [defaultMaxLength, parseInstantMs],
  }),
  ...readersIn('subscribers/import/headings.ts', { classifyColumn: [defaultMaxLength, classifyColumn] }),
  ...readersIn('subscribers/invisible.ts', {
    trimInvisible: [defaultMaxLength, trimInvisible],
    describeInvisible: [defaultMaxLength, describeInvisible],
  }),
  ...readersIn('messages/visible-text.ts', { readVisible: [defaultMaxLength, readVisible] }),
  ...readersIn('text/characters.ts', {
    removeInvisible: [defaultMaxLength, removeInvisible],
    hasVisibleText: [defaultMaxLength, hasVisibleText],
    forTerminal: [defaultMaxLength, (value) => forTerminal(value, '\n')],
    jsonForTerminal: [defaultMaxLength, jsonForTerminal],
    tidyText: [defaultMaxLength, tidyText],
  }),
  ...readersIn('store/articles/canonical-address.ts', {
    canonicalAddress: [maxLength.address, (value) => canonicalAddress(`https://harbour.example/?${value}`)],
    isFrontPage: [maxLength.address, (value) => isFrontPage(`https://harbour.example/${value}`)],
    folded: [maxLength.title, folded],
    titleWords: [maxLength.title, titleWords],
    titleKey: [maxLength.title, titleKey],
  }),
]

const robotsRules = compileRules(readRobots(`user-agent: *\n${`disallow: /*${'a*'.repeat(20)}b$\n`.repeat(100)}`))

/** How many tokens a text has, with the attributes of all; each element that may hide its content is passed. */
function tokensIn(value: string, dialect: Dialect): number {
  const tokens = new Tokeniser(value, dialect)
  let count = 0
  for (let token = tokens.next(); token; token = tokens.next()) {
    count++
    if (token.kind === 'open') tokens.attributes(token)
    if (token.name === 'style') tokens.passContent('style')
    if (token.name === 'p') tokens.at = tokens.endOfElement('p')
  }
  return count
}

const feedLink = (part: string) => `<link rel="feed" href="/${encodeURIComponent(part.toWellFormed()).slice(0, 200)}">`

function readersIn(place: string, made: Record<string, [number, (text: string) => unknown]>): Reader[] {
  return Object.entries(made).map(([key, [length, read]]) => {
    const [name = '', file] = key.split(' ').toReversed()
    return { file: file ?? place, name, longest: length, read }
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
    '<script>',
    '<a><title><b></a>',
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
  ['</rss>', '<rss><channel>', '<item></item>'],
)

export const shapes: { name: string; make(length: number): string }[] = units.map(([unit, first = '', last = '']) => ({
  name: JSON.stringify(`${first}${unit}…${last}`),
  make: (length) => first + unit.repeat(Math.ceil(length / unit.length)).slice(0, length) + last,
}))

/** Files beside src/feeds whose exports read strangers' texts too. */
export const alsoWatched = [
  ...[
    'text/characters.ts',
    'store/articles/canonical-address.ts',
    'messages/tidy.ts',
    'messages/visible-text.ts',
    'editions/stories/titles.ts',
  ],
  ...['mail/reply-rules/reply-text.ts', 'mail/reply-rules/deferrals.ts', 'mail/reply-rules/answers.ts'],
  ...['subscribers/address.ts', 'subscribers/name.ts', 'subscribers/invisible.ts'],
  ...['subscribers/import/state-words.ts', 'subscribers/import/headings.ts'],
  ...['mail/smtp/auth/sign-in-reply.ts'],
]

/** Exports that take texts and are tried in another way, or are not a stranger's: by the reason. */
export const exceptions: Record<string, string[]> = {
  'read as a part of a feed: parseInThisThread has the shapes in every field': [
    ...['articleBody', 'entryIdentity', 'identityOf', 'authorStyle', 'picturesOfEntry'],
    ...['toParsedFeed', 'children', 'attribute', 'childTexts', 'TreeBuilder', 'readXmlFeed'],
    ...['entryMedia', 'imagesOf', 'videoOf', 'mediaTitles', 'imageOf', 'authorLine', 'articleBody'],
    ...['entryIdentity', 'identityOf'],
  ],
  'one step of a reader that has the shapes: plainText': ['passHidden', 'removeEndings'],
  'read as a part of a page: readPageFacts and readPageState have the shapes': ['jsonObjects', 'stringValue'],
  'hands bytes to a worker': ['parseFeed', 'readInWorker', 'readTask', 'pageContext', 'discoverFeed', 'recheckPage'],
  'asks the network, and what comes goes to a worker': [
    ...[
      'enrichArticles',
      'resolveRedirects',
      'robotsVerdict',
      'robotsRefusal',
      'refreshFeeds',
      'refreshDueFeeds',
      'openFetcher',
      'getFollowingRedirects',
      'checkRedirect',
    ],
    ...['openClient', 'BoundedRequests', 'redirectTarget', 'readBody', 'readBytes', 'discard', 'unpack', 'isGzip'],
  ],
  'a header, of which the client takes 16 KB in all': ['header', 'maxAgeSeconds', 'retryAfterSeconds'],
  'an address that the client has parsed, or an IP address': [
    'refusalReason',
    'literalIp',
    'isAllowed',
    'isUnsafePort',
  ],
  'makes a sentence of a value that has been cut': [
    'fetchFailure',
    'displayHost',
    'statusMeaning',
    'failureText',
    'rejectionText',
  ],
  'rows and settings of ours': [
    ...['urlAfterMove', 'canMoveTo', 'decidePublisher', 'checkPublisher'],
    'currentUrl',
    'healthOf',
    'watchedFeeds',
    'quarantinedByFeed',
    'writeOpml',
    'forEachPerHost',
    'publishingRate',
    'nextPollAfterSuccess',
    'nextPollAfterFailure',
  ],
  'a view made of fields that have been cut; tidyText reads each': ['tidyView'],
}
