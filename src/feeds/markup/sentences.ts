/** The text cut after the last whole sentence that fits, else after a word. */
export function wholeSentences(text: string, maximum: number): string {
  if (text.length <= maximum) return text
  const end = sentenceEnds(text, maximum).at(-1) ?? 0
  return end >= maximum / 4 ? text.slice(0, end) : `${wholeWords(text, maximum)} …`
}

/** The first sentence or words, as the title of an entry without one. */
export function firstWords(text: string, maximum = 80): string {
  const end = sentenceEnds(text, maximum).find((at) => at > 8)
  if (end !== undefined) return text.slice(0, end)
  return text.length <= maximum ? text : `${wholeWords(text, maximum)} …`
}

/** The ends of sentences in the first `maximum` characters, closing quotation marks and brackets included. */
function sentenceEnds(text: string, maximum: number): number[] {
  const start = text.slice(0, maximum + 3) // the characters after a full stop tell whether the sentence goes on
  return [...start.matchAll(/[.!?…]["'”’»)]*(?=\s|$)|[。！？।॥۔؟]/gu)]
    .filter(({ 0: marks, index }) => marks !== '.' || !isAbbreviation(start, index))
    .map(({ 0: marks, index }) => index + marks.length)
    .filter((end) => end <= maximum && !/^\s+\p{Ll}/u.test(start.slice(end, end + 3)))
}

/** Whether a stop ends an abbreviation or the number of a list item: "… on time. 2. Tickets". */
function isAbbreviation(text: string, stop: number): boolean {
  return abbreviation.test(wordBefore(text, stop)) || listNumber.test(text.slice(Math.max(0, stop - 12), stop))
}

const listNumber = /(?:^|[.!?:;…]["'”’»)]?\s)(?:\d{1,3}|[ivxlc]{1,7})$/i

function wordBefore(text: string, stop: number): string {
  return /(?:^|[\s("'“‘«])([\p{L}.]+)$/u.exec(text.slice(Math.max(0, stop - 12), stop))?.[1] ?? ''
}

// Dr. Okafor · U.S. Ambassador · J. Vance · No. 10 · St. Mary · e.g. · z. B. · Mme. Ruiz
const abbreviation =
  /^(?:\p{L}|(?:\p{L}\.)+\p{L}|dr|prof|mr|mrs|ms|mx|messrs|mme|mlle|sr|sra|srta|dra|hr|frau|st|ste|rev|fr|hon|gen|col|lt|sgt|capt|cpl|maj|cmdr|adm|sen|rep|gov|pres|jr|no|nos|nr|vs|vol|fig|approx|ca|bzw|usw|evtl|dept|est|inc|ltd|corp|bros|mt|ave|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)$/iu

/** The words that fit, without the punctuation after the last. */
export function wholeWords(text: string, maximum: number): string {
  const start = text.slice(0, maximum)
  const space = start.lastIndexOf(' ')
  const words = (space > maximum / 2 ? start.slice(0, space) : start).replace(/[\ud800-\udbff]$/, '')
  let end = words.length
  while (end > 0 && /[\s,;:–—-]/.test(words[end - 1] ?? '')) end--
  return words.slice(0, end)
}
