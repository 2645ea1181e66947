/** The encodings that pages in a language used before UTF-8, by its primary subtag (RFC 5646), the commonest first. */
const byLanguage = new Map<string, string[]>()
const cyrillic = ['windows-1251', 'koi8-u', 'iso-8859-5']
for (const [languages, encodings] of [
  ['ja', ['shift_jis', 'euc-jp']],
  ['zh', ['gb18030', 'big5']],
  ['ko', ['euc-kr']],
  ['ru uk be bg sr mk', cyrillic],
  ['el', ['windows-1253', 'iso-8859-7']],
  ['he iw yi', ['windows-1255']],
  ['ar fa ur', ['windows-1256', 'iso-8859-6']],
  ['th', ['windows-874']],
  ['tr az', ['windows-1254', 'iso-8859-9']],
  ['vi', ['windows-1258']],
  ['pl cs sk sl hu hr bs ro sq', ['windows-1250', 'iso-8859-2']],
  ['lt lv et', ['windows-1257']],
  ['en de fr es it pt nl da sv no nb nn fi is cy ga gd ca eu gl af id ms', ['windows-1252']],
] as [string, string[]][])
  for (const language of languages.split(' ')) byLanguage.set(language, encodings)

/** Scripts and regions of Chinese that are written in Big5. */
const traditional = /^zh-(?:.*-)?(?:hant|tw|hk|mo)\b/i

/** Country domains → language, where the domain says more than the Latin alphabet. */
const languageOfDomain: Record<string, string> = {
  ...{ jp: 'ja', cn: 'zh', tw: 'zh-tw', hk: 'zh-hk', kr: 'ko', ru: 'ru', su: 'ru', by: 'be', bg: 'bg', rs: 'sr' },
  ...{ mk: 'mk', ua: 'uk', gr: 'el', il: 'he', sa: 'ar', eg: 'ar', ir: 'fa', pk: 'ur', th: 'th', tr: 'tr', vn: 'vi' },
  ...{ pl: 'pl', cz: 'cs', sk: 'sk', si: 'sl', hu: 'hu', hr: 'hr', ro: 'ro', lt: 'lt', lv: 'lv', ee: 'et' },
}

/** Likely encodings of a document from its own words: its `<language>`, `xml:lang` or `lang`, else the domain of its first link. */
export function likelyEncodings(bytes: Uint8Array): string[] {
  const start = Buffer.from(bytes.subarray(0, 8192)).toString('latin1')
  const language =
    /<(?:dc:)?language>\s*(?:<!\[CDATA\[)?\s*([a-z]{2,3}(?:[-_][a-z\d]{2,8}){0,3})/i.exec(start)?.[1] ??
    /\s(?:xml:)?lang\s*=\s*["']([a-z]{2,3}(?:[-_][a-z\d]{2,8}){0,3})/i.exec(start)?.[1] ??
    /"language"\s*:\s*"([a-z]{2,3}(?:[-_][a-z\d]{2,8}){0,3})/i.exec(start)?.[1]
  const domain = /<link>\s*https?:\/\/[^\s/<:]{1,200}\.([a-z]{2})[\s/<:]/i.exec(start)?.[1] ?? ''
  return encodingsOf(language ?? languageOfDomain[domain.toLowerCase()] ?? '')
}

function encodingsOf(tag: string): string[] {
  const language = tag.replaceAll('_', '-').toLowerCase()
  if (traditional.test(language)) return ['big5', 'gb18030']
  return byLanguage.get(language.split('-')[0] ?? '') ?? []
}
