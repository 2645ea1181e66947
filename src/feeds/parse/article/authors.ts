import { maxLength } from '../../../config/field-limits.ts'
import { shortText } from '../../markup/text.ts'

/** How a feed writes its authors: whether the surname comes first, and the names that are its own. */
export type AuthorStyle = { surnameFirst: boolean; ownNames: Set<string> }

/** `authors` are the lines of all entries; several people in a line are joined by semicolons or commas. */
export function authorStyle(authors: string[], ownNames: string[]): AuthorStyle {
  const others = new Set(authors.filter((author) => author !== '').map(fold))
  const isOfSite = (name: string) => siteWords.test(name) || !name.includes(' ') || others.size > 1
  return { surnameFirst: isSurnameFirst(authors), ownNames: new Set(ownNames.filter(isOfSite).map(fold)) }
}

/** A feed may be called after its only author, whose name stays. */
const siteWords =
  /\b(?:the|news|post|times|blog|magazine|daily|weekly|gazette|herald|journal|review|tribune|press|media|radio|online|today|report|team)\b|\.\w/i

/** The names of an entry's authors, given name first, joined by commas; without the name of the site. */
export function authorLine(author: string, { surnameFirst, ownNames }: AuthorStyle): string {
  const pieces = author.split(';').map((piece) => piece.trim())
  const names = surnameFirst ? pieces.flatMap(givenNamesFirst) : pieces
  const people = names.filter((name) => name !== '' && !ownNames.has(fold(name)))
  return shortened([...new Set(people)].join(', '))
}

/** Cut after the last whole name that fits. */
function shortened(author: string): string {
  if (author.length <= maxLength.author) return author
  const end = author.lastIndexOf(', ', maxLength.author - 3)
  return end > 0 ? `${author.slice(0, end)}, …` : shortText({ value: author, kind: 'text' }, maxLength.author)
}

/** Every line with a comma is made of pairs "Surname, Given name", and no line has a person's whole name without one. */
function isSurnameFirst(authors: string[]): boolean {
  const pieces = authors.flatMap((author) => author.split(';')).map((piece) => piece.trim())
  const withComma = pieces.filter((piece) => piece.includes(','))
  const wholeNames = pieces.filter((piece) => !piece.includes(',') && /^\p{Lu}\S* \p{Lu}/u.test(piece))
  return withComma.length > wholeNames.length && withComma.every(isPairs)
}

/** "Okafor, Mira", "Okafor, Mira, van der Berg, Tor"; not "Mira Okafor, Tor Lindqvist", "Mira Okafor, PhD", "Quay, AP". */
function isPairs(line: string): boolean {
  const parts = partsOf(line)
  const singleWords = parts.filter((part) => !part.includes(' ')).length
  return parts.length % 2 === 0 && singleWords * 2 >= parts.length && parts.every((part) => namePart.test(part))
}

/** One to four words of which the last begins with a capital and is no title or agency. */
const namePart =
  /^(?!(?:Ph\.?D|M\.?D|Jr|Sr|M\.?A|MBA|II|III|IV|Esq|Inc|Ltd|LLC|Co|GmbH|plc|Staff|Editor|Reuters)\.?$)(?!\p{Lu}{2,}$)(?:[\p{L}'’.-]{1,40} ){0,3}\p{Lu}[\p{L}'’.-]{0,40}$/u

function givenNamesFirst(line: string): string[] {
  const parts = partsOf(line)
  if (parts.length % 2 === 1) return [line]
  return parts.flatMap((part, index) => (index % 2 === 0 ? [`${parts[index + 1]} ${part}`] : []))
}

function partsOf(line: string): string[] {
  return line.split(',').map((part) => part.trim())
}

function fold(name: string): string {
  return name.toLowerCase().replace(/^the |[^\p{L}\p{N}]+/gu, '')
}
