import type { Instant } from '../../time/clock.ts'
import type { Answer, Reason, ReasonOf } from './reason.ts'

/**
 * Who did something: the program, a rule of the digest, an unnamed user of the command line, or a
 * person by name.
 */
export type Actor = 'system' | 'rule' | 'cli' | `person:${string}`

export function person(name: string): Actor {
  return `person:${name}`
}

/** The name of a person; undefined for any other actor. */
export function personName(actor: Actor): string | undefined {
  return actor.startsWith('person:') ? actor.slice('person:'.length) : undefined
}

/** An event with the ids of its subjects: an edition, an article, a subscriber, a feed. */
export type PastEvent = { [Kind in EventKind]: PastEventOf<Kind> }[EventKind]

export type PastEventOf<Kind extends EventKind> = {
  id: string
  at: Instant
  actor: Actor
  kind: Kind
  edition: string | null
  article: string | null
  subscriber: string | null
  feed: string | null
  data: EventValues[Kind]
}

export type NewEvent = {
  [Kind in EventKind]: {
    kind: Kind
    actor: Actor
    edition?: string
    article?: string
    subscriber?: string
    feed?: string
    data: EventValues[Kind]
  }
}[EventKind]

export type EventKind = keyof EventValues

type NoValues = Record<never, never>
type Contents = { articles: number; letters: number; thin: Reason | null }

/** The data of each kind of event. Kinds and names are kept in the store: they never change their meaning. */
export type EventValues = {
  /** A sentence from an earlier version. */
  note: { text: string }
  /** `replaced`: the names of the unapproved editions that it replaces. */
  'edition.composed': Contents & { replaced: string[] }
  'edition.recomposed': Contents
  'edition.run_missed': { reason: Reason }
  'edition.skipped': { reason: Reason }
  'edition.page_checked': { title: string; finding: Reason }
  'edition.pages_unchecked': { articles: ReasonOf<'page-finding'>[] }
  'edition.pictures_left_out': { pictures: ReasonOf<'picture-of'>[] }
  'edition.correction_left_out': { said: string; why: 'unanswered' | 'outdated' }
  'edition.clipped': { bytes: number }
  'edition.too_large': { bytes: number }
  'edition.sealed': NoValues
  'edition.seal_failed': { reason: Reason }
  'edition.unsealed': { reasons: Reason[] }
  'edition.approved': { obstacles: Reason[] }
  'edition.obstacles_overridden': { obstacles: Reason[] }
  'edition.held': { reason: Reason }
  'edition.paused': { reason: Reason }
  'edition.resumed': { retracted: string[] }
  'edition.cancelled': { reason: Reason }
  'edition.article_retracted': {
    title: string
    words: string
    effect: 'sent' | 'stopped' | 'paused' | 'recomposed'
    /** The SHA-256 of each seal that it replaces. */
    seals: string[]
  }
  'edition.article_restored': { title: string }
  /** An editor finds that `title` does not repeat `other`. */
  'edition.not_duplicate': { title: string; other: string }
  /** `number`: which change of the edition it is. */
  'edition.edited': { number: number; change: Reason }
  'edition.edit_undone': { number: number; change: Reason }
  'edition.sending_started': NoValues
  'edition.canary_released': { reason: Reason }
  'edition.relay_excluded': { relay: string; reason: Reason }
  'edition.sent': { accepted: number; refused: number; unknown: number; skipped: number }
  'correction.accepted': { said: string; words: string }
  'correction.dismissed': { said: string }
  'correction.reopened': { said: string }
  'correction.withdrawn': { said: string; words: string }
  /** The editors got an email about it: `about` is the kind of the notice. */
  'notice.sent': { about: NoticeSubject }
  'notice.refused': { about: NoticeSubject; reply: Answer }
  'notice.unknown': { about: NoticeSubject; reply: Answer }
  'feed.notice_sent': { problem: Reason }
  'feed.notice_refused': { problem: Reason; reply: Answer }
  'feed.notice_unknown': { problem: Reason; reply: Answer }
  'feed.gone': { status: number }
  'feed.moved': { from: string; to: string }
  'feed.move_ignored': { to: string; url: string }
  'feed.move_insecure': { to: string; url: string }
  'feed.move_undone': { from: string; to: string; why: 'gone' | 'failing' | 'not-ours' }
  'feed.publisher_changed': { title: string; siteUrl: string }
  'feed.publisher_accepted': { title: string }
  'feed.publisher_refused': { title: string }
  /** The earlier publisher is back; `title` is of its feed. */
  'feed.publisher_back': { title: string }
  'feed.articles_forgotten': NoValues
  'feed.forgotten_shown': NoValues
  /** What a person decided about articles in quarantine, in numbers. */
  'feed.articles_decided': { accepted: number; duplicates: number; ignored: number }
}

export type NoticeSubject = 'skipped' | 'edition'
