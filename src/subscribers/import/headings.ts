import { normalizeWord, wordsOf } from './state-words.ts'

/**
 * What a column says about a person. `words` names a state; `wanted`, `confirmed` and `valid` say whether they may get
 * mail, `left`, `bounced` and `complained` whether they may not, or since when. `other` counts only where its cell is a
 * state.
 */
export type ColumnKind = 'words' | 'wanted' | 'confirmed' | 'valid' | EndingKind | 'other'
type EndingKind = 'left' | 'bounced' | 'complained'

export type StateColumn = {
  column: string
  kind: ColumnKind
  /** Set where an ending is not yes, no or a date: a number of times, or details (a reason) that are empty otherwise. */
  form?: 'count' | 'details'
  /** The heading alone is not enough: the column counts if one value excludes a person, and (`all`) each value is known. */
  needs?: 'one' | 'all'
  /** Its heading is about something else, such as `order status`: only an unambiguous word counts. */
  isElsewhere?: true
}

/** Headings in the exports of other tools, spelled as by `normalizeWord`. */
const knownHeadings: [ColumnKind, RegExp][] = [
  [
    'words',
    /^(?:(?:subscri(?:ption|ber)|e?mail|(?:e?mail)?marketing|contact|member|list|emailsubscription|emailpermission)?status|subscri(?:ption|ber)state|emailstate|subscribertype)$/,
  ],
  [
    'wanted',
    /^(?:subscribed(?:toemails?|tonewsletter)?|(?:email)?opt(?:ed)?in|(?:accepts|receives?)(?:email)?(?:marketing|newsletters?|emails?)|(?:email|marketing)consent|emailsenabled|emailenabled)$/,
  ],
  ['confirmed', /^(?:is|has|e?mail|address)*(?:confirmed|verified|bestatigt|confirme|confirmado|confermato)$/],
  ['valid', /^(?:is|e?mail|address)*(?:valid|deliverable)$/],
  ['left', /^(?:date|time)?unsub(?:scribed?)?(?:at|on|time|date)?$/],
  ['bounced', /^(?:is|date|time|hard|email)*(?:cleaned|clean|bounced?|undeliverable)(?:at|on|time|date)?$/],
]

/** Words that may precede the word that matters, without a space. */
const headingPrefix =
  '(?<![^ ])(?:is|has|was|e?mails?|user|contact|member|newsletter|marketing|global(?:ly)?|hard|date|time|list|account)*'
const headingPattern = (stems: string) => new RegExp(`${headingPrefix}(?:${stems.replace(/\s*\n\s*/g, '')})`)

const leftPattern =
  headingPattern(`un ?sub|not ?subscri|opt(?:ed|s|ing)? ?out|do ?n[o']?t ?(?:e?mail|contact|send|disturb|market|solicit)|
  dnc(?![^ ])|left(?: (?:at|on|date))?$|no ?(?:e?mails?|newsletters?|marketing)(?![^ ])|(?:block|black|deny) ?list|blocked|suppress|exclu(?:ded|sion)|
  deactivat|disabled|deleted|removed|banned|cancel|archived|revoked|withdrawn|on ?hold(?![^ ])|inactive|suspended|
  abgemeld|abmeld|abbestell|ausgetragen|gesperrt|blockiert|geloe?scht|(?:ge)?kue?ndig|sperre|unmailable|quit(?![^ ])|deaktiviert|widerruf|widerspr|inaktiv|
  desabonn|desinscri|bloque|supprim|resili|desactiv|inactif|baja(?![^ ])|desuscri|eliminad|descadastr|desativ|inativ|
  inactiv|disiscri|disattiv|bloccat|inattiv|uitgeschr|uitschr|afgemeld|afmeld|opgezegd|geblokkeerd|verwijderd|inactief|
  wypis|wyrejestr|rezygnacj|zablokowan|usuniet|nieaktywn|avregistr|avanmal|avprenum|avslut|frameld|blokeret|slettet|opsagt`)
const bouncedPattern = headingPattern(
  `bounc|cleaned|clean(?![^ ])|undeliver|invalid|unzustell|rue?ckl|ungue?ltig|rebot|rimbalz|onbestel|studs`,
)
const complainedPattern = headingPattern(
  `complain|spam|abuse|junk|marked ?as ?spam|beschwerde|plainte|queja|klacht|skarga|reclama|klagom`,
)
const wantedPattern = headingPattern(`subscribed|opt(?:ed)? ?in(?![^ ])|optin|consent|enabled|active(?![^ ])|permission|
  (?:accepts?|receives?|allows?|wants?) ?(?:e?mail|news|market)|abonne|abonniert|angemeldet|eingetragen|einwillig|zustimm|
  aktiv(?![^ ])|actif(?![^ ])|activ[oa](?![^ ])|attiv[oa](?![^ ])|ativ[oa](?![^ ])|actief|aktywn|inscrit|suscrit|iscritt|
  ingeschreven|aangemeld|geabonneerd|zapisan|zgoda|tilmeldt|prenumer|consenso`)
/** Words of a heading that may say whether a person gets mail, or what they get. */
const hintPattern =
  /^(?:e?mails?|news|newsletters?|marketing|mailings?|campaigns?|subscri(?:ption|ber)|type|group|rundbrief|infolettre|boletin|nieuwsbrief|block|list|can|may|we|send|gets?|wants?|receives?|accepts?|allow(?:ed)?|ok|notifications?|mailable|contactable|werbung|erlaubt?| )+$/

const wordSet = (text: string) => new Set(text.split(/\s+/).filter(Boolean))
const hasWord = (words: string[], these: Set<string>) => words.some((word) => these.has(word))

const stateNouns = wordSet('status statuses state statut stato estado stan situation standing')
const dateWords = wordSet(
  'at on date time timestamp utc since datum fecha data dato zeit am le last when day until expires expiry from',
)
const countWords = wordSet('count counts counter number num total anzahl nombre unsubscribes bounces complaints cnt')
const detailWords =
  wordSet(`reason reasons comment comments feedback campaign campaigns title id list lists source by via method type
  category text note notes ip name message other from channel grund motif motivo suppressions`)
/** A link to unsubscribe, or a score, does not say who unsubscribed. */
const linkWords = wordSet(
  'url uri link links token key hash page form score rating rate percent percentage probability filter folder policy',
)
/** Properties of a subscription that do not say whether it exists. */
const subscriptionWords =
  wordSet(`count counts counter number num total members users ip country source url link page form id plan tier price
  amount interval period length months days years name title language code level product origin medium channel method type
  category kind frequency list lists campaign campaigns segment topic text note notes reason by via start end renewal
  renews version rating score rate subscriptions subscribers fee value currency hash token key tags location city double features feature modules`)
/** Channels other than email. */
const otherChannelWords = wordSet(
  'sms mms phone telephone telefon telefono mobile call calls notification notifications whatsapp push fax postal voice telegram messenger',
)
const otherSubjectWords =
  wordSet(`order orders payment payments invoice invoices plan deal lead ticket shipping shipment marital
  employment job tax billing trial delivery project task booking reservation event webinar course visa application customer
  cookie cookies terms privacy photo tracking profiling parental login mfa 2fa tfa sso api backup account
  factor device loyalty interactive stripe paypal paddle`)
/** Names of people, firms and places are never states. */
const identityPattern =
  /^(?:(?:full|first|last|middle|display|given|family|user|nick|contact|company|firm|list)?name|[fl]name|surname|forename|vorname|nachname|prenom|nom|apellidos?|nombre|company|firma|organi[sz]ation|employer|city|town|street|country|address.*|(?:mailing|billing|home|shipping|work|business|other|postal)(?:state|street|city|country|zip)|state(?:province|code)|region|province|job|jobtitle|title|timezone|zone|subject|website|url)$/

/** Classifies a column by its heading; undefined if it never holds a state. */
export function classifyColumn(column: string): StateColumn | undefined {
  const name = column.replace(/ \(column \d+\)$/, '')
  const words = wordsOf(name)
  const found = knownHeadings.find(([, spelled]) => spelled.test(normalizeWord(name)))?.[0]
  if (found) return { column, kind: found }
  if (identityPattern.test(normalizeWord(name))) return undefined
  if (hasWord(words, otherChannelWords) && !words.some((word) => /^e?mails?$/.test(word))) return undefined
  return { column, ...classifyWords(words) }
}

function classifyWords(words: string[]): Omit<StateColumn, 'column'> {
  const text = words.join(' ').replace(/\bdon t\b/, 'dont')
  const isAboutMail = !hasWord(words, otherSubjectWords)
  const other = { kind: 'other' as const, ...(!isAboutMail && { isElsewhere: true as const }) }
  const ending = endingIn(text)
  if (hasWord(words, stateNouns))
    return isAboutMail || /\b(?:account|customer)\b/.test(text) ? classifyStatus(text) : other
  if (ending) return isAboutMail && !hasWord(words, linkWords) ? classifyEnding(ending, words) : other
  if (isAboutMail && wantedPattern.test(text) && !hasWord(words, dateWords) && !hasWord(words, subscriptionWords))
    return { kind: 'wanted' }
  if (!hintPattern.test(text) || !isAboutMail) return other
  if (text === 'type') return { kind: 'words', needs: 'one' }
  return { kind: 'wanted', needs: /^(?:block|group)$/.test(text) ? 'all' : 'one' }
}

function endingIn(text: string): EndingKind | undefined {
  if (complainedPattern.test(text)) return 'complained'
  if (/\bsoft ?bounc/.test(text)) return undefined
  return bouncedPattern.test(text) ? 'bounced' : leftPattern.test(text) ? 'left' : undefined
}

function classifyStatus(text: string): Omit<StateColumn, 'column'> {
  const isCertain = /subscri|newsletter|mailing|\bopt|consent|permission|abonn/.test(text)
  return isCertain ? { kind: 'wanted' } : { kind: 'words', needs: 'one' }
}

function classifyEnding(kind: EndingKind, words: string[]): Omit<StateColumn, 'column'> {
  if (hasWord(words, countWords)) return { kind, form: 'count' }
  if (
    hasWord(words, detailWords) &&
    !/ (?:of|from) (?:all )?(?:e?mails?|marketing|newsletters?|campaigns?)\b/.test(` ${words.join(' ')}`)
  )
    return { kind, form: 'details' }
  return { kind }
}
