import { replyMeaning } from '../mail/reply-rules/answers.ts'
import { type Actor, type PastEvent, personName } from '../store/events/event.ts'
import type { Reason } from '../store/events/reason.ts'
import { fromJson, type Json } from '../store/json.ts'
import type { Instant } from '../time/clock.ts'
import { wallTimeText } from '../time/zone.ts'
import { formatMessage } from './message-format.ts'
import { locale, type MessageGroup, messages } from './messages.ts'

/** A reason as text, without a capital or a full stop: `no new articles (this digest needs 5)`. */
export function describeReason(reason: Reason | Json<Reason>): string {
  const { code, also = [], ...values } = parsed(reason)
  return [format('reasons', code, values), ...also.map(describeReason)].join('; ')
}

/** A reason as text with a capital: `No new articles (this digest needs 5)`. */
export function describeLine(reason: Reason | Json<Reason>): string {
  return startSentence(describeReason(reason))
}

/** A reason as a sentence: `No new articles (this digest needs 5).` */
export function describeSentence(reason: Reason | Json<Reason>): string {
  const text = describeLine(reason)
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** A reason for JSON output: its code and values, and its description as `text`. */
export function reasonWithText(reason: Reason | Json<Reason>): Reason & { text: string } {
  return { ...parsed(reason), text: describeReason(reason) }
}

/** An event as a line of a history, without its actor: `18 articles chosen`. */
export function describeEvent(event: PastEvent): string {
  const text = format('events', event.kind, valuesOf(event))
  return event.kind === 'note' ? text : startSentence(text)
}

/** An event for JSON output, with its description as `text`. */
export function eventWithText(event: PastEvent): PastEvent & { text: string } {
  return { ...event, text: describeEvent(event) }
}

/** An actor's name for display; `rule` and `system` are "automatically". */
export function describeActor(actor: Actor): string {
  return personName(actor) ?? (actor === 'cli' ? 'operator' : 'automatically')
}

/** A person's latest action: `Ada approved it.` `who` is the name of the person, or You. */
export function describeDone(event: PastEvent, who: string): string {
  return describeWithName('done', event, { who }) ?? `${who}: ${describeEvent(event)}`
}

/** An action since the reader loaded the page; `at` is the time of day, such as `at 07:00`. */
export function describeSince(event: PastEvent, who: string, at: string): string {
  const text = describeEvent(event)
  const isPerson = personName(event.actor) !== undefined
  return describeWithName('since', event, { who, at }) ?? (isPerson ? `${who}, ${at}: ${text}.` : `${text} ${at}.`)
}

function describeWithName(group: MessageGroup, event: PastEvent, names: object): string | undefined {
  if (!messages()[group].has(event.kind)) return undefined
  return format(group, event.kind, { ...valuesOf(event), ...names })
}

/** The event's data for messages; `by` is `person` or the actor. */
function valuesOf({ actor, data }: PastEvent): Record<string, unknown> {
  return { ...data, by: personName(actor) === undefined ? actor : 'person' }
}

function format(group: MessageGroup, key: string, values: Record<string, unknown>): string {
  const message = messages()[group].get(key)
  if (!message) throw new Error(`there is no message for ${key} in the group ${group}`)
  return formatMessage(message, values, { locale, describe: (value) => describeReason(value as Reason), formats })
}

const formats = {
  day: (instant: Instant) => instant.slice(0, 10),
  wallTime: (instant: Instant, { zone }: Record<string, unknown>) => wallTimeText(String(zone), instant),
  /** A relay's reply, followed by the setting that helps, if there is one. */
  answer(reply: string): string {
    const { advice } = replyMeaning(reply)
    return advice === undefined ? reply : `${reply}. ${advice}`
  },
}

function parsed(reason: Reason | Json<Reason>): Reason {
  return typeof reason === 'string' ? fromJson<Reason>(reason) : (reason as Reason)
}

/** Capitalizes the text, unless it begins with an address, a setting or the like. */
function startSentence(text: string): string {
  return text.replace(/^\p{Ll}(?=[\p{L}-]*(?:[ ,;]|: |$))/u, (first) => first.toUpperCase())
}
