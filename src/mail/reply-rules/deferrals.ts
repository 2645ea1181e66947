import { hour, minute, second } from '../../time/clock.ts'
import { replyMeaning } from './answers.ts'
import { status } from './reply-pattern.ts'
import { readable } from './reply-text.ts'

/** Words about our rate or reputation, and not about one person. */
const rateOrReputation =
  /\b(rates?|rate-?limit\w*|limit\w*|throttl\w*|too (many|much|fast|quickly|often)|exceed\w*|quota|busy|reputation|block\w*|black-?list\w*|spam\w*|complain\w*|unusual|volume|slow down|frequen\w*|excessive)\b/i

const greylistWords = /gr[ae]y-? ?list/i
const newSenderWords =
  /\bfirst[- ](time|seen)\b|\bnew (sender|triplet)\b|\b(not|never) (yet )?seen\b|\bunknown triplet\b/i

/**
 * Whether a 4xx is greylisting (RFC 6647), because the server does not know this pair of sender and recipient; it is
 * not about our pace. The reply says so, or names a time to retry without a word about rate or reputation.
 */
export function isGreylisting(answer: string): boolean {
  const reply = readable(answer)
  if (!/^4\d\d\b/.test(reply)) return false
  if (greylistWords.test(reply)) return true
  if (/^421\b/.test(reply) || rateOrReputation.test(reply)) return false
  return newSenderWords.test(reply) || retryAfterMs(reply) !== undefined
}

const serverState =
  /\bshutting down|\bgoing down|\brestart|\bmaintenance\b|\bnot accepting (network )?(messages|mail|connections)|\binsufficient (system |disk )?(storage|resources|space|memory)|\b(low|out of|no|not enough) (free )?(disk|space|memory)|\b(disk|storage|file ?system) (is )?full|\bload average/i

/** Whether a 4xx is about the server's own state (4.3.x, RFC 3463 §3.4), and not about us or the person. */
export function isServerState(answer: string): boolean {
  const reply = readable(answer)
  if (!/^4\d\d\b/.test(reply)) return false
  if (/\b(rates?|throttl\w*|too (many|much|fast) (messages?|mails?|e-?mails?|recipients)|slow down)\b/i.test(reply))
    return false
  return status('4\\.3\\.\\d').test(reply) || serverState.test(reply)
}

/** Whether a 4xx is about us: by its code (421, 4.7.x), or by words that are about us in a 5xx too. */
export function isDeferredByPolicy(answer: string): boolean {
  const reply = readable(answer)
  if (!/^4\d\d\b/.test(reply) || isGreylisting(reply) || isServerState(reply)) return false
  if (/^421\b/.test(reply) || status('4\\.7\\.\\d{1,3}').test(reply)) return true
  if (status('4\\.2\\.\\d{1,3}').test(reply)) return false // the mailbox (RFC 3463 §3.3)
  const asPermanent = reply.replace(/^4/, '5').replace(/(?<![\d.])4(?=\.\d{1,3}\.\d{1,3}(?![\d.]*\d))/g, '5')
  return replyMeaning(asPermanent).about === 'us'
}

const minRetryMs = minute
const maxRetryMs = 12 * hour

const seconds = 's|secs?|seconds?|sekunden?|secondes?|segundos?|secondi|秒钟?'
const minutes = 'm|mins?|minutes?|minuten?|minutos?|minuti|分钟?'
const hours = 'h|hrs?|hours?|stunden?|heures?|horas?|ore|小时'
/** Ends at the end of a word: a letter more would make it another word ("5 messages"). */
const duration = `(?:\\d{1,6}|an?|one) ?(?:${seconds}|${minutes}|${hours})(?![a-z])`
const clockTime = '\\d{1,2}:\\d\\d(?::\\d\\d)?(?![\\d:])'
const askedBack =
  'try|retry|again|back|resend|wait|gr[ae]y-? ?listed|gr[ae]y-? ?listing|deferred|delay(?:ed)?|later|versuch\\w*|r[ée]essay\\w*|intent\\w*|riprov\\w*'
const namedTime = new RegExp(
  `(?:\\b(?:${askedBack})[^.;\\d]{0,40}?(?<![a-z\\d]))(${clockTime}|${duration}(?:(?:,| and)? ?${duration}){0,2})|(\\d{1,6} ?(?:${seconds}|${minutes}|${hours}))[之以]?后`,
  'i',
)
const parts = new RegExp(`(\\d{1,6}|an?|one) ?(?:(${seconds})|(${minutes})|(${hours}))(?![a-z])`, 'gi')

/**
 * The server's retry time in milliseconds ("try again in 300 seconds", "come back in 00:04:59"), between one minute and
 * twelve hours; undefined if the reply names no time.
 */
export function retryAfterMs(reply: string): number | undefined {
  const [, named, namedBehind] = namedTime.exec(readable(reply)) ?? []
  const text = named ?? namedBehind
  if (text === undefined) return undefined
  return Math.min(maxRetryMs, Math.max(minRetryMs, text.includes(':') ? clockMs(text) : durationMs(text)))
}

/** `04:59` and `00:04:59`. */
function clockMs(text: string): number {
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * second
}

function durationMs(text: string): number {
  let sum = 0
  for (const [, count = '', isSeconds, isMinutes] of text.matchAll(parts))
    sum += (/^\d/.test(count) ? Number(count) : 1) * (isSeconds ? second : isMinutes ? minute : hour)
  return sum
}
