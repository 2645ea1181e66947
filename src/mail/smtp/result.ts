import { replyMeaning } from '../reply-rules/answers.ts'
import { oneLine } from '../reply-rules/reply-text.ts'

/**
 * What the relay did with one message.
 * accepted: 2xx
 * refused: 5xx about the address, or about nothing that we know; never again
 * deferred: 4xx, later
 * rejected: 5xx about us (policy, reputation, authentication, size): later too, and a reason to pause if it goes on
 * unknown: cut off after the message was whole and before the answer
 * cut: cut off before the message was whole, so it is not out; nobody's fault
 * unsent: there was no connection at all
 * unfit: this relay cannot carry the message (`lacks` says why), another may; nothing was said of it
 */
export type SendResult =
  | { kind: 'accepted' | 'refused' | 'deferred' | 'rejected' | 'unknown' | 'cut' | 'unsent'; reply: string }
  | { kind: 'unfit'; lacks: 'SMTPUTF8' | 'SIZE'; reply: string }

/** What the relay answered to; `dot` is the end of the message. */
export type Verb = 'RSET' | 'MAIL' | 'RCPT' | 'DATA' | 'dot'

/**
 * What an answer means. One about the person is theirs; one about us, or about the connection (421), is not. A code that
 * is none of SMTP (RFC 5321 §4.2.1) comes from a broken relay, and says nothing about anybody.
 */
export function toResult(verb: Verb, { code, text }: { code: number; text: string }): SendResult {
  const reply = oneLine(text)
  if (verb === 'dot' && code >= 200 && code < 300) return { kind: 'accepted', reply }
  if (verb === 'dot' && !isRefusal(code)) return { kind: 'unknown', reply }
  if (isOutOfStep(verb, code)) return { kind: 'cut', reply }
  if (code === 421) return { kind: 'cut', reply } // RFC 5321 §3.8: the server closes, the message is not taken
  if (code < 500) return { kind: verb === 'MAIL' ? 'cut' : 'deferred', reply }
  return { kind: isAboutUs(verb, reply) ? 'rejected' : 'refused', reply }
}

/** An answer to something else than we said: the person has no part in it, and the connection is of no use. */
export function isOutOfStep(verb: Verb, code: number): boolean {
  if (verb === 'dot') return false
  return !isRefusal(code) || verb === 'RSET' || (code === 503 && verb !== 'MAIL') // 503: bad sequence of commands
}

/** 4xx and 5xx; false for NaN too. */
function isRefusal(code: number): boolean {
  return code >= 400 && code < 600
}

/** MAIL FROM names nobody but us. */
function isAboutUs(verb: Verb, reply: string): boolean {
  return verb === 'MAIL' || replyMeaning(reply).about === 'us'
}
