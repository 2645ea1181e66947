import { messageOf } from '../../errors.ts'
import type { Answer, Reason } from '../../store/events/reason.ts'
import { replyMeaning } from '../reply-rules/answers.ts'
import { oneLine } from '../reply-rules/reply-text.ts'

/**
 * The result of one message.
 * accepted: 2xx
 * refused: 5xx about the address, or with an unclear cause; not retried
 * deferred: 4xx; retried later
 * rejected: 5xx about us (policy, reputation, authentication, size); retried later; a reason to pause if it continues
 * unknown: the connection was lost after the whole message and before the answer
 * cut: the connection was lost before the whole message, so it is not sent; counts against neither side
 * unsent: there was no connection
 * unfit: this relay cannot take the message (`lacks` says why), another relay may; the relay got no command for it
 */
export type SendResult = {
  /** The relay's reply; empty if it gave none. */
  reply: string
  /** Why there is no reply, or why we do not trust it. */
  reason?: Reason
} & (
  | { kind: 'accepted' | 'refused' | 'deferred' | 'rejected' | 'unknown' | 'cut' | 'unsent' }
  | { kind: 'unfit'; lacks: 'SMTPUTF8' | 'SIZE'; reason: Reason }
)

/** A result without an answer: the connection failed. */
export function withoutAnswer(kind: 'cut' | 'unknown', error: unknown): SendResult {
  return { kind, reply: '', reason: { code: 'connection-lost', message: oneLine(messageOf(error)) } }
}

/** Our reason if there is one, else the relay's reply. */
export function answerOf({ reply, reason }: { reply: string; reason?: Reason | undefined }): Answer {
  return reason ?? reply
}

/** The command that the relay answered; `dot` is the end of the message. */
export type Verb = 'RSET' | 'MAIL' | 'RCPT' | 'DATA' | 'dot'

/**
 * The result of an answer. An answer about us or about the connection (421) does not count against the person, nor does
 * a code outside SMTP (RFC 5321 §4.2.1), which comes from a broken relay.
 */
export function toResult(verb: Verb, { code, text }: { code: number; text: string }): SendResult {
  const reply = oneLine(text)
  if (verb === 'dot' && isPositive(code)) return { kind: 'accepted', reply }
  if (verb === 'dot' && !isRefusal(code)) return { kind: 'unknown', reply }
  if (isOutOfStep(verb, code)) return { kind: 'cut', reply }
  if (code === 421) return { kind: 'cut', reply } // RFC 5321 §3.8: the server closes and does not take the message
  if (code < 500) return { kind: verb === 'MAIL' ? 'cut' : 'deferred', reply }
  return { kind: isAboutUs(verb, reply) ? 'rejected' : 'refused', reply }
}

/** An answer that does not fit the command: it does not concern the person, and the connection is unusable. */
export function isOutOfStep(verb: Verb, code: number): boolean {
  if (verb === 'dot') return false
  return !isRefusal(code) || verb === 'RSET' || (code === 503 && verb !== 'MAIL') // 503: bad sequence of commands
}

export const isPositive = (code: number) => code >= 200 && code < 300

/** 4xx and 5xx; false for NaN too. */
export function isRefusal(code: number): boolean {
  return code >= 400 && code < 600
}

/** MAIL FROM contains only our own address. */
function isAboutUs(verb: Verb, reply: string): boolean {
  return verb === 'MAIL' || replyMeaning(reply).about === 'us'
}
