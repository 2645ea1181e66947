import { decodeHTMLStrict } from 'entities'

/**
 * Long texts wait beside the document while the parser reads its structure: character by character it takes ten times
 * as long as we do. In their place stands a mark that no feed can hold, for control characters are gone by then.
 */
export type Texts = { put(raw: string): string; putPlain(text: string): string; read(value: string): string }

/** Shorter ones stay: they cost the parser no more than this does. */
export const shortestText = 40
/** Nobody reads further: a summary is a few sentences, and a picture stands near the beginning. */
const longestText = 1024 * 1024

export function textsAside(): Texts {
  const texts: string[] = []
  const putPlain = (text: string) => `\u0001${texts.push(text.slice(0, longestText)) - 1}`
  return {
    put: (raw) => putPlain(plainOf(raw.slice(0, longestText))),
    putPlain,
    read: (value) => (value.charCodeAt(0) === 1 ? (texts[Number(value.slice(1))] ?? '') : value),
  }
}

/** The document with its texts where they were, for another parser. */
export function withTexts(xml: string, { read }: Texts): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is the mark
  return xml.replace(/\u0001\d+/g, (mark) => `<![CDATA[${read(mark).replaceAll(']]>', ']]]]><![CDATA[>')}]]>`)
}

/** What XML means by it: entities decoded, and CDATA sections as they are. */
function plainOf(raw: string): string {
  let out = ''
  let at = 0
  while (at < raw.length) {
    const open = raw.indexOf('<![CDATA[', at)
    out += decoded(open < 0 ? raw.slice(at) : raw.slice(at, open))
    if (open < 0) return out
    const close = raw.indexOf(']]>', open)
    out += raw.slice(open + 9, close < 0 ? raw.length : close)
    at = close < 0 ? raw.length : close + 3
  }
  return out
}

function decoded(text: string): string {
  return text.includes('&') ? decodeHTMLStrict(text) : text
}
