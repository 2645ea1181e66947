import { maxLength } from '../../config/field-limits.ts'
import { plainText, shortText } from '../markup/text.ts'

/**
 * `mira@example.org (Mira Vance)`, `Mira Vance <mira@example.org>`, `By Mira Vance`, `hidden (mira)` → the name. Empty for
 * `admin`, `No reply` and other words in the place of a name.
 */
export function personName(text: string): string {
  const value = text.slice(0, 400).replace(/<[^<>\s@]{1,100}@[^<>\s]{1,100}>/, '')
  const plain = plainText({ value, kind: 'perhaps-html' }, 300)
  const name = withoutMarks(nameInBrackets(plain) ?? withoutAddresses(plain))
  return placeholder.test(name) ? '' : shortText({ value: name, kind: 'text' }, maxLength.person)
}

/** RSS 2.0: the name in brackets after the address, or after the word that hides it. */
function nameInBrackets(text: string): string | null {
  const open = text.indexOf('(')
  if (open < 0 || !text.endsWith(')') || text.length - open < 3) return null
  const address = text.slice(0, open).trim()
  return /^[^\s@]+@\S+$|^(?:hidden|private|unknown|no-?reply)$/i.test(address) ? text.slice(open + 1, -1) : null
}

function withoutAddresses(text: string): string {
  return text
    .split(' ')
    .filter((word) => !isMailAddress(word) && !/^\(?(?:https?:\/\/|www\.)/i.test(word))
    .join(' ')
}

/** Characters before the @, and a dot with a letter after it: `(mira@example.org)`. */
function isMailAddress(word: string): boolean {
  const at = word.indexOf('@', 1)
  return at > 0 && /\.\w/.test(word.slice(at + 2))
}

/** Without the words and marks around a name. */
function withoutMarks(text: string): string {
  return text
    .replace(before, '')
    .replace(/(?<=\S) \(?@[\w.@-]{1,60}\)?$|(?<=\p{Script=Hangul}) ?(?:기자|특파원)$/u, '')
    .replace(/^(?:@|\/?u\/)(?=\w)/, '')
    .replace(/[\s;,|/·、；，]+$/, '')
    .replace(/(?<=\p{Script=Han})[、，](?=\p{Script=Han})/gu, ', ')
    .trim()
}

/** "By", "Von Mira Vance" (not "von Trapp"), and 文／ or 記者： before a Chinese or Japanese name. */
const before =
  /^(?:(?:[Ww]ritten |[Pp]osted |[Ww]ords |[Ss]tory )?[Bb][Yy](?::\s*|\s+)(?=\S)|(?:Author|Autor|Auteur|Autore)\s*:\s*|(?:Von|Par|Por|Door) (?=\p{Lu}\S* \p{Lu})|(?:作者|文|撰文|記者|记者|編輯|编辑|取材)\s*[:：/／・]\s*)/u

/** What programs and offices write in the place of a name. */
const placeholder =
  /^(?:(?:site |web ?|super ?)?admin(?:istrator)?|super ?user|root|user|guest|default|author|writer|unknown|hidden|none|null|undefined|n\/a|test|web ?(?:master|editor)|editors?|editorial (?:team|staff|board)|(?:the )?(?:editorial |news ?)?(?:staff|team|desk)(?: (?:writer|reporter)s?)?|redaktion|r[ée]daction|redacci[óo]n|redazione|redactie|no[- ]?reply\b.*|do[- ]?not[- ]?reply\b.*|wordpress|-+)$/i
