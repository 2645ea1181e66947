const htmlNames =
  'a|abbr|article|b|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|figure|figcaption|font|h[1-6]|hr|i|iframe|img|' +
  'ins|li|ol|p|pre|q|s|section|small|span|strike|strong|style|script|sub|sup|svg|table|tbody|td|th|tr|tt|u|ul|video|audio|object|embed'
const htmlTagPattern = new RegExp(`</(?:${htmlNames})\\s*>|<(?:br|p|img|hr)(?:\\s[^<>]{0,2000})?/?>`, 'i')

/** Whether a text of unknown kind is HTML: it has a tag or a character reference. */
export function looksLikeHtml(value: string): boolean {
  return value.includes('<') ? holdsTags(value) : value.includes('&')
}

/** Whether a text has an end tag of HTML, or an element that needs none. */
export function holdsTags(value: string): boolean {
  return value.includes('<') && htmlTagPattern.test(value)
}

const phrase = 'a|abbr|b|big|cite|del|em|font|i|ins|q|s|small|span|strike|strong|sub|sup|tt|u'
const markupRules: RegExp[] = [
  // <a href="https://harbour.example/">fares</a>
  new RegExp(`<(?:${htmlNames})\\s+[a-z][\\w:-]{0,40}\\s?=`, 'i'),
  // <p>Fares rise.</p>
  new RegExp(`^\\s*<(${htmlNames})\\s*>[\\s\\S]*</\\1\\s*>`, 'i'),
  // The <em>late</em> ferry
  new RegExp(`<(${phrase})>[^<>]{1,300}</\\1\\s*>`, 'i'),
  // Late</em>
  new RegExp(`[^\\s<>]</(?:${phrase}|p|div|li|h[1-6])\\s*>`, 'i'),
  // One line<br>another line
  /[^\s<>]<(?:br|p|hr)\s?\/?>|<(?:br|p|hr)\s?\/?>[\p{L}\p{N}]|<(?:br|hr)\s?\/>/iu,
  /<(?:script|style|iframe|svg|object)\b/i,
]

/** Whether the tags in a text mark it up; else it is about tags: "Why the <p> element matters". */
export function isMarkup(text: string): boolean {
  return holdsTags(text) && markupRules.some((rule) => rule.test(text))
}
