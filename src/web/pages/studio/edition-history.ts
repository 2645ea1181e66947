import type { HistoryEntry } from '../../../editions/revision.ts'
import type { EditionRow, EditionStatus } from '../../../store/schema.ts'
import { capitalise } from '../../../text/words.ts'
import type { Moment } from '../../format.ts'

/**
 * A line of an edition's history, apart: `act` is the word that it begins with (`approved`, `held`, `paused` …), and
 * `rest` what follows it. The one place where the pages read these lines.
 */
type HistoryLine = { act: string; details: string }

const linePattern = /^(\w+)(?:: (.*))?$/s

function parseLine(what: string): HistoryLine {
  const [, act = '', rest = ''] = linePattern.exec(what) ?? []
  return { act, details: rest }
}

/** What somebody has just done, as a sentence: read from the record, so that it cannot say what did not happen. */
export function doneSentence(what: string, who: string): string {
  const { act, details: rest } = parseLine(what)
  const sentences: Record<string, string> = {
    approved: `${who} approved it.`,
    held: `${who} put it on hold: “${rest}”.`,
    cancelled: `${who} cancelled it: “${rest}”.`,
    paused: `${who} stopped the sending: “${rest}”.`,
    resumed: `${who} resumed the sending${rest ? ` ${rest}` : ''}.`,
    retracted: `${who} removed ${rest}.`,
    restored: `${who} put ${rest} back.`,
    edited: `${who} ${rest}.`,
    undone: `${who} took back a change: ${rest}.`,
  }
  return sentences[act] ?? `${who}: ${what}`
}

/** Whether the edition is in the state that the decision led to: what the page says of the state then follows from it. */
export function isInResultingState({ status }: Pick<EditionRow, 'status'>, what: string): boolean {
  const states: Record<string, EditionStatus> = {
    ...{ approved: 'approved', held: 'held', paused: 'paused', cancelled: 'cancelled', resumed: 'sending' },
    ...{ edited: 'composed', undone: 'composed' },
  }
  return states[parseLine(what).act] === status
}

/** What somebody did since a page was shown: “Ben held it back at 07:00: “Headline 2 needs the lawyer””. */
export function changeSentence({ what, who }: HistoryEntry, at: string, viewer: string): string {
  const name = who === viewer ? 'You' : who
  const { act, details: rest } = parseLine(what)
  const why = rest ? `: “${rest}”` : ''
  if (who === 'lastword') return `${capitalise(automaticText(what))} ${at}.`
  const sentences: Record<string, string> = {
    approved: `${name} approved it ${at}.`,
    held: `${name} held it back ${at}${why}.`,
    cancelled: `${name} cancelled it ${at}${why}.`,
    paused: `${name} stopped the sending ${at}${why}.`,
    resumed: `${name} resumed the sending ${at}.`,
    retracted: `${name} removed an article ${at}: ${rest}.`,
    restored: `${name} put an article back ${at}: ${rest}.`,
    edited: `${name} changed it ${at}: ${rest}.`,
    undone: `${name} took back a change ${at}: ${rest}.`,
  }
  return sentences[act] ?? `${name}, ${at}: ${what}.`
}

/** A line of the history as the page lists it: what happened, and who did it, if it was a person. */
export function historyItem({ who, what }: HistoryEntry, at: Moment) {
  const setting = /^rule: /.test(who)
  if (setting) return { what: `${capitalise(what)} automatically (digest setting)`, who: '', at }
  if (who === 'lastword') return { what: capitalise(automaticText(what)), who: 'automatically', at }
  return { what: capitalise(personText(what)), who, at }
}

function personText(what: string): string {
  return what
    .replace(/^retracted: /, 'removed: ')
    .replace(/^restored: /, 'put back: ')
    .replace(/^edited: /, '')
    .replace(/^undone: /, 'change taken back: ')
    .replace(/^held: /, 'put on hold: ')
    .replace(/^paused: /, 'sending stopped: ')
    .replace(/^resumed/, 'sending resumed')
}

function automaticText(what: string): string {
  return what
    .replace(/^composed with (.+)$/, '$1 chosen')
    .replace(/^sealed .*$/, 'made ready and locked')
    .replace(/^not sealed: /, 'could not be made ready: ')
    .replace(/^held: /, 'on hold: ')
    .replace(/^paused: /, 'sending stopped: ')
}
