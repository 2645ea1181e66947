import type { Line } from '../lines.ts'
import { aboutRules } from './about-rules.ts'
import { creditRules } from './credit-rules.ts'
import type { EndingRule } from './ending-rule.ts'
import { moreRules } from './more-rules.ts'

const maxEndingLength = 900
const maxEndings = 8
/** What may stand before a label that begins in the middle of a line. */
const sentenceEnd = /[.…!?。！？۔؟"'”’»)\]:]\s*$/u
const ellipsis = /(?:…|\.\.\.?|\[…\]|\[\.\.\.\])\s*$/

/** The lines without what software appends: credits, invitations to read on, lines about the entry. */
export function withoutEndings(given: Line[], title: string): Line[] {
  const lines = given.slice()
  for (let count = 0; count < maxEndings; count++) {
    const last = lines.pop()
    if (!last) break
    const text = withoutEnding(last, title)
    if (text === last.text) {
      lines.push(last)
      break
    }
    if (text !== '') lines.push({ ...last, text, endLink: '' })
  }
  return lines
}

/** The text of a line without its ending; empty if the line is nothing else. */
export function withoutEnding({ text, hasLink, endLink }: Line, title: string): string {
  if (isAbout(text) || isCredit(text, title, hasLink) || isMore(text, hasLink && endLink === text)) return ''
  const credit = creditStart(text, title)
  if (credit > 0) return text.slice(0, credit).trimEnd()
  const about = text.slice(-maxEndingLength).search(/ submitted by\s+\/?u\//)
  const from = Math.max(0, text.length - maxEndingLength)
  if (about >= 0 && isAbout(text.slice(from + about).trim())) return text.slice(0, from + about).trimEnd()
  if (endLink !== '' && text.endsWith(endLink) && isMore(endLink, true))
    return text.slice(0, text.length - endLink.length).trimEnd()
  return withoutPlainMore(text)
}

function isAbout(text: string): boolean {
  return text.length <= 3000 && aboutRules.some(({ match }) => match.test(text))
}

/** A whole line that is a credit, and says the title or has a link. */
function isCredit(text: string, title: string, hasLink: boolean): boolean {
  return text.length <= maxEndingLength && creditRules.some((rule) => isCreditBy(rule, { text, title, hasLink }))
}

type Credit = { text: string; title: string; hasLink: boolean }

function isCreditBy({ match }: EndingRule, { text, title, hasLink }: Credit): boolean {
  const name = match.exec(text)?.groups?.title
  return name !== undefined && (hasLink || isSameText(name, title))
}

/** Where a credit with the title begins after other text of its line, or -1. */
function creditStart(text: string, title: string): number {
  if (title === '') return -1
  const near = text.slice(-maxEndingLength)
  const offset = text.length - near.length
  const at = near.lastIndexOf(title.slice(0, 60))
  if (at < 0) return -1
  const before = near.slice(0, at)
  const starts = [...before.matchAll(/(?:^|[.…!?。"”’»)\]]\s*)(?=\S)/gu)].map(({ index, 0: end }) => index + end.length)
  const start = [...starts.slice(-2), at].find((one) => isCredit(near.slice(one), title, false))
  return start === undefined ? -1 : offset + start
}

function isMore(text: string, isLink: boolean): boolean {
  if (text.length > 160) return false
  return moreRules.some(({ match }) => {
    const found = match.exec(text)
    return found !== null && (isLink || found.groups?.name === undefined)
  })
}

/** A label without a link counts after an ellipsis, or after a sentence if an arrow or dots follow it or it is English's "Read More". */
function withoutPlainMore(text: string): string {
  const near = text.slice(-80)
  for (const { index } of near.matchAll(/(?<=\s|…|\.\.|。)\S/gu)) {
    const label = near.slice(index)
    const before = near.slice(0, index)
    const isAfterDots = ellipsis.test(before)
    if (!isAfterDots && !(sentenceEnd.test(before) && /[»›→⟶➜>\])…]$|\.\.$/.test(label))) continue
    if (isMore(label, isAfterDots)) return text.slice(0, text.length - label.length).trimEnd()
  }
  return text
}

/** Whether two texts have the same letters and digits. */
export function isSameText(one: string, other: string): boolean {
  const letters = lettersOf(one)
  return letters !== '' && letters === lettersOf(other)
}

export function lettersOf(text: string): string {
  return text
    .slice(0, 2000)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
}
