import { alignWords } from '../../text/align-words.ts'
import { emptyWords } from '../../text/meaning-words.ts'
import { splitIntoWords, type TextWord, type WordKind } from '../../text/text-fingerprint.ts'

/** Characters of a title that are read. */
const maxLength = 2000
const maxWords = 60

/** The parts of a headline that say something: without labels, the site's name, articles and punctuation. */
export type Headline = { key: string; words: string[]; isStanding: boolean }

/** A feed's title and address; publishers put their name behind their headlines. */
type Site = { source: string; feedUrl: string }

export function readHeadline(title: string, site: Site): Headline {
  const text = withoutSite(withoutLabel(title.slice(0, maxLength).normalize('NFC').trim()), site)
  const words = exactWords(text)
  return { key: words.join(' '), words, isStanding: isStandingHeadline(title) }
}

/** Accents and apostrophes stay: "fordern" and "fördern" are two words. */
function exactWords(text: string): string[] {
  const words =
    text.toLowerCase().match(/[£$€¥%]|\p{N}+(?:[.,:]\p{N}+)*|\p{L}[\p{L}\p{M}]*(?:['’][\p{L}\p{M}]+)*/gu) ?? []
  return words.map((word) => word.replaceAll('’', "'")).filter((word) => !emptyWords.has(word))
}

// "LIVE: …", "Update - …", "BREAKING | …", "Watch: …"
const label =
  /^(?:live(?: updates?| blog)?|updated?|breaking(?: news)?|exclusive|just in|watch|video|listen|podcast|audio|gallery|in pictures|news|en direct|direct|mise à jour|vidéo|eilmeldung|liveticker|aktualisiert|última hora|en directo|en vivo|vídeo|actualización|yn fyw|diweddariad|fideo)\s*(?::|[|–—]|\s-\s)\s*/iu
// "… – live", "… (updated)", "… [video]"
const trailingLabel =
  /\s*(?:[|–—-]\s*(?:live(?: updates?)?|video|updated?|podcast|as it happened)|[([](?:live|video|updated?|audio|gallery|pictures|podcast)[)\]])$/iu

function withoutLabel(title: string): string {
  let text = title
  for (let round = 0; round < 3; round++) text = text.replace(label, '').replace(trailingLabel, '')
  return text
}

const separator = /\s+(?:[|–—·•»-]|::)\s+/gu
/** Words that are in the names of publications. */
const publicationWord =
  /^(?:news|times|post|guardian|herald|gazette|online|bbc|itv|reuters|ap|pa|afp|dpa|efe|press|mail|express|mirror|telegraph|journal|chronicle|tribune|observer|independent|argus|echo|standard|star|sun|sky|cnn|npr|zeitung|tagesschau|spiegel|presse|monde|figaro|libération|ouest-france|país|mundo|vanguardia|agencia|golwg360|cymru|com|co|org|gov|uk|net|wales online|walesonline)$/iu

/** Removes the last part of a title if it is the name of the site. */
function withoutSite(title: string, site: Site): string {
  const last = [...title.matchAll(separator)].at(-1)
  if (!last) return title
  const suffix = title.slice(last.index + last[0].length)
  return isSiteName(suffix, site) ? title.slice(0, last.index) : title
}

function isSiteName(suffix: string, { source, feedUrl }: Site): boolean {
  const words = namesIn(suffix)
  if (words.length === 0 || words.length > 6) return false
  const known = new Set(namesIn(source))
  if (words.every((word) => known.has(word)) && words.length * 2 > known.size) return true
  const host = URL.canParse(feedUrl) ? new URL(feedUrl).hostname : ''
  if (host.split('.').slice(0, -1).includes(words.join(''))) return true
  return publicationWord.test(words.at(-1) ?? '') && words.length <= 4 && /^\p{Lu}|\./u.test(suffix)
}

function namesIn(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !emptyWords.has(word))
}

/**
 * Titles that a publication uses again and again: "Letters to the editor", "The week ahead in …", "Morning briefing".
 * Every piece under one of them is new.
 */
const standing = [
  /\b(?:letters?|briefe|leserbriefe|cartas|courrier|llythyrau) (?:to the editor|page|al director|des lecteurs|an die redaktion|at y golygydd)\b/iu,
  /\b(?:this|last|next|the|our|your|my) (?:week|month|day|weekend|morning|year)(?: ahead)?(?:$| (?:in|at|on|of|that|ahead)\b)/iu,
  /\b(?:of|for) (?:the|this|last|next) (?:day|week|month|weekend|year)\b|\bof the (?:day|week|month)\b/iu,
  /\b(?:morning|evening|daily|weekly|monthly|lunchtime|midday) (?:briefing|brief|round-?up|digest|update|news|headlines|bulletin|quiz|crossword|report|review|summary|column|politics)\b/iu,
  /\b(?:today|tonight|tomorrow|yesterday)(?:['’]s)? (?:papers|front pages|headlines|news|briefing|weather|agenda|top stories)\b/iu,
  /\b(?:things? (?:to know|we learned|you need)|what (?:we learned|to watch|you need to know)|what the papers say|in brief|in pictures|obituaries|opinion round-?up|weather forecast|planning applications|what['’]s on)\b/iu,
  /\b(?:comment|editorial|the guardian view|our view|leader|cartoon|column|diary|notebook|q&a|quiz)\b\s*(?::|$)|^our view\b|^the \w+ view on\b/iu,
  /\b(?:la|cette|notre) semaine\b|\b(?:revue de presse|le point|l['’]essentiel|chronique|édito|éditorial|bulletin)\b/iu,
  /\b(?:die|der|diese|unsere) (?:woche|wochen\p{L}*)\b|\b(?:morgen|tages|wochen|presse)(?:briefing|schau|rückblick|lage|überblick|ticker)\b|\b(?:kommentar|kolumne|leitartikel|glosse)\b\s*(?::|$)/iu,
  /\b(?:la|esta|nuestra) semana\b|\b(?:las noticias|titulares|claves) (?:del día|de hoy|de la semana)\b|\b(?:editorial|columna|tribuna)\b\s*(?::|$)/iu,
  /\b(?:yr wythnos|wythnos hon|barn yr|penawdau)\b/iu,
]

function isStandingHeadline(title: string): boolean {
  const text = title.normalize('NFC')
  return standing.some((pattern) => pattern.test(text))
}

const factKinds: readonly WordKind[] = ['number', 'negation', 'name', 'decisive']

/**
 * Whether two titles are built alike and differ in a number, name, negation or other decisive word, as in "Road closures,
 * 12 November" and "Road closures, 19 November".
 */
export function doHeadlinesConflict(one: string, other: string): boolean {
  const [left, right] = [one, other].map((title) => splitIntoWords(title.slice(0, maxLength)).slice(0, maxWords)) as [
    TextWord[],
    TextWord[],
  ]
  const { equal, differences } = alignWords(left, right, ({ text }) => text)
  if (2 * equal < 1.1 * Math.min(left.length, right.length)) return false
  return differences.some(({ left: a, right: b, at }) => {
    const isAddition = a.length === 0 || b.length === 0
    const words = [...a, ...b]
    if (isAddition && at !== 'middle') return words.some(({ kind }) => kind === 'negation')
    return words.some(({ kind }) => factKinds.includes(kind))
  })
}
