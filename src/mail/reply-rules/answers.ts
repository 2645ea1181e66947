import { type Cause, causes, type Meaning } from './cause.ts'
import { replyRules } from './reply-rules.ts'
import { readable } from './reply-text.ts'

/** The cause of a 5xx answer, by the server's words and codes; `unclear` if no rule matches. */
export function causeOf(reply: string): Cause {
  if (!/^5\d\d\b/.test(reply)) return 'unclear'
  const words = readable(reply).replace(/[^\s<>():;]+@[^\s<>():;]+/g, '@') // an address may hold any word: spam@example.org
  return replyRules.find(({ match }) => match.test(words))?.cause ?? 'unclear'
}
// $ lastword relay judge "550 5.1.1 <mira@example.org>: Recipient address rejected: User unknown"

/** The meaning of a 5xx answer: whether it is about us or the address, suppresses the address, and what to change. */
export function replyMeaning(reply: string): Meaning {
  return causes[causeOf(reply)]
}
