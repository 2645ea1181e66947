import type { LaunchProblem } from '../../config/launch-check.ts'
import type { Instant } from '../../time/clock.ts'

/** A reason: a stable code with its values. `describe/` turns it into a sentence. */
export type Reason = { [Code in ReasonCode]: ReasonOf<Code> }[ReasonCode]

/** The reason of one code. `also` are further reasons, which follow it. */
export type ReasonOf<Code extends ReasonCode> = { code: Code; also?: Reason[] } & ReasonValues[Code]

export type ReasonCode = keyof ReasonValues

/** The reply of a relay, or our reason where it gave none. */
export type Answer = string | Reason

/** A reason with further ones after it. */
export function withFurther(reason: Reason, ...further: Reason[]): Reason {
  return further.length === 0 ? reason : { ...reason, also: [...(reason.also ?? []), ...further] }
}

/** The values of each code. Codes and names are kept in the store: they never change their meaning. */
export type ReasonValues = GeneralValues &
  EditionValues &
  ObstacleValues &
  ThinValues &
  ChoiceValues &
  PageValues &
  PictureValues &
  SendingValues &
  WaitValues &
  StopValues &
  DeliveryValues &
  AddressValues &
  FeedValues &
  RejectionValues &
  CorrectionValues &
  EditValues

type NoValues = Record<never, never>

type GeneralValues = {
  /** A sentence from an earlier version. */
  text: { text: string }
  /** A person's own text. */
  'by-hand': { words: string }
  /** The message of an error. */
  error: { message: string }
  'internal-error': NoValues
}

/** Why an edition was skipped, held, cancelled, paused or sealed again. */
type EditionValues = {
  'made-for-review': NoValues
  'no-subscribers': { digest: string }
  'no-recipients-left': { count: number }
  'missed-too-late': { lateMs: number; within: string }
  'missed-for-newer': { newest: Instant }
  'missed-before-schedule-change': NoValues
  'missed-several': { count: number; first: Instant; last: Instant; newest: Reason }
  /** The calendar leaves the run out. `name`: of the holiday. `until`: the date on which the pause ends. */
  'date-skipped': { name: string | null; content: 'keep' | 'drop' }
  'run-paused': { until: string }
  /** Another run was due before the nearest free day. */
  'run-not-shifted': { name: string | null }
  /** `from` and `to`: dates. */
  'run-shifted': { name: string | null; from: string; to: string }
  replaced: { number: number }
  'article-retracted': { title: string; who: string; words: string }
  'dated-earlier': NoValues
  'setting-was': { setting: string; value: string }
}

/** The obstacles to an approval; `bytes` is the size of the HTML. */
type ObstacleValues = {
  'no-articles': NoValues
  'empty-subject': NoValues
  'too-large': { bytes: number }
  clipped: { bytes: number }
  'newer-sent': { number: number | null }
  /** A current setting that must be changed first. */
  setting: LaunchProblem
  /** The edition was sealed with such a setting, which has been corrected since. */
  sealed: LaunchProblem
}

/** What articles are chosen by: a list of `filter-part`. */
export type FilterParts = ReasonOf<'filter-part'>[]

/** `section`: null for the whole edition. */
type ThinValues = {
  'too-few-articles': { count: number; minimum: number }
  'section-too-few': { section: string; count: number; minimum: number }
  'minimum-not-met': { section: string | null; count: number; minimum: number; filter: FilterParts }
  'silent-too-long': { silenceMs: number; longest: string }
  'left-out': { count: number; reasons: ReasonOf<'left-out-for'>[]; more: number }
  'left-out-for': { count: number; reason: Reason }
  'feeds-failing': { count: number; total: number; failures: ReasonOf<'feed-failure'>[] }
  'feed-failure': { url: string; error: Reason }
  'feed-quarantined': { count: number; url: string; reason: Reason }
}

type ChoiceValues = {
  chosen: { rank: number; total: number; order: 'newest' | 'feed' | 'score' | 'letters'; backfill: boolean }
  score: { points: number; parts: ReasonOf<'score-part'>[] }
  'score-part': { part: 'fresh' | 'picture' | 'summary' | 'author' | 'sources'; points: number }
  'also-in': { sources: string[] }
  'in-by-minimum': { section: string | null; minimum: number; filter: FilterParts }
  'displaced-by-minimum': { title: string; section: string | null; minimum: number; filter: FilterParts }
  'filter-part': { by: 'categories' | 'authors' | 'words'; terms: string[] }
  'section-dropped': { count: number; minimum: number }
  'section-full': {
    count: number
    before: 'newer' | 'articles' | 'letters' | 'mixed'
    reserved: number
    reservedBy: 'rules' | 'editor'
  }
  'backfill-not-needed': { section: string }
  'maximum-of-author': { section: string | null; maximum: number; author: string }
  'maximum-of-feed': { section: string | null; maximum: number; source: string }
  'maximum-of-filter': { section: string | null; maximum: number; filter: FilterParts }
  excluded: { section: string; by: 'category' | 'author' | 'word'; term: string }
  'not-included': { section: string; filter: FilterParts }
  /** `seenAt`: null where it is about several articles. */
  stale: { seenAt: Instant | null; freshness: string }
  expired: { pending: string }
  /** Another copy has the same story; `url`: its address, if the sentence names it. */
  'same-story': { title: string; source: string; url: string | null; where: Reason | null }
  /** It may repeat an article of another story; `where`: in another edition. */
  'possible-duplicate': { title: string; source: string; where: Reason | null }
  /** Published long before the oldest article of its feed's first read. */
  'older-than-feed': { publishedAt: Instant; oldest: Instant }
  'copy-in-edition': { number: number | null; dueAt: Instant | null }
  'copy-in-backlog': NoValues
  'copy-retracted': { who: string; words: string }
  'no-letter-section': NoValues
  'no-section': NoValues
  retracted: { who: string; words: string }
  /** By an editor, from this edition; `isExcluded`: also from every later one. */
  dropped: { who: string; isExcluded: boolean }
  pinned: { who: string }
  quarantined: { reason: Reason }
  'feed-waits': { reason: Reason }
  'edition-skipped': NoValues
}

/** The result of checking an article's page, or why it could not be read; `answer`: of the server. */
type PageValues = {
  'page-gone': { answer: string }
  'page-unchecked': { answer: string | null }
  'page-not-asked': NoValues
  'page-title': { title: string }
  'page-address': { url: string }
  'page-finding': { title: string; finding: Reason }
  'page-no-address': NoValues
  'page-unreachable': { message: string }
  'page-unchanged': NoValues
  'page-not-html': { contentType: string }
  'page-unreadable': { message: string }
}

/** Why a picture is not printed. `minimum` and `pixels` are of the file, not of the email. */
type PictureValues = {
  'picture-left-out': { reason: Reason }
  /** `title`: of the article or block that it belongs to; null for the logo. */
  'picture-of': { title: string | null; reason: Reason }
  'picture-unreachable': { message: string }
  'picture-late': NoValues
  'picture-not-a-picture': { found: 'svg' | 'page' | 'nothing' | 'other' }
  'picture-heavy': { megabytes: number }
  'picture-large': { megapixels: number }
  'picture-small': { side: 'width' | 'height'; pixels: number; minimum: number }
  'picture-blank': NoValues
  'picture-damaged': NoValues
}

/** Why the sending of an edition was paused, a relay was excluded, or a provider's share may go. */
type SendingValues = {
  'at-relay': { relay: string; reason: Reason }
  'no-answers': { count: number }
  'relay-no-answers': { count: number }
  'relay-takes-nothing': { reply: Answer }
  'relay-takes-nothing-while-others-do': { reply: Answer }
  'too-large-for-relay': { reply: Answer }
  'last-all-refused': { count: number; reply: string }
  'nothing-accepted': { count: number; reply: string }
  'all-rejected': { count: number; reply: Answer }
  'rejections-in-a-row': { count: number; domains: string[]; reply: Answer }
  'rejections-of-last': { count: number; last: number; domains: string[]; reply: Answer }
  'refusals-in-a-row': { count: number; reply: Answer }
  'canary-refused': {
    refused: number
    tried: number
    recipients: number
    provider: string
    allowedPercent: number
    reply: string
  }
  'canary-empty': { provider: string }
  'canary-passed': { refused: number; tried: number; provider: string; waitMs: number }
  'canary-overruled': { provider: string }
  /** The digest has no canary any more. */
  'canary-removed': { provider: string }
}

/** Why messages wait. `zone`: of the times that people read. */
type WaitValues = {
  'nothing-due': NoValues
  'window-closed': { until: Instant; zone: string }
  /** `date`: the day whose quota is used up. */
  'warm-up-used': { count: number; date: string; until: Instant; zone: string }
  'relay-quota-used': { relay: string; count: number; date: string }
  'canary-unfinished': { provider: string; count: number }
  /** `count`: null for everyone else at the provider. */
  'canary-undecided': { provider: string; count: number | null; until: Instant | null; zone: string | null }
  'provider-slow': { provider: string; reason: Reason }
  'provider-rate': {
    provider: string
    /** Null: there is only one relay. */
    relay: string | null
    perSecond: number
    since: Instant
    zone: string
    reason: Reason
  }
  /** The reply that slowed a provider, or how long its replies took. */
  'slow-down-reply': { reply: string }
  'slow-replies': { tookMs: number }
  'local-hour': { count: number; at: Instant; zone: string }
  'later-hours': { count: number }
  'seal-retried': { reason: Reason }
}

/** Why no further message is begun. `relay`: null where there is only one. */
type StopValues = {
  'asked-to-stop': NoValues
  'all-sending-stopped': { at: Instant; who: string; words: string }
  paused: { reason: Reason }
  'sending-error': { message: string }
  'relay-down': { relay: string | null; reply: Answer }
  'no-relay': NoValues
  'relay-distrusted': { relay: string; reason: Reason }
}

/** Why a delivery has its status, where that is not the relay's reply. */
type DeliveryValues = {
  left: { at: Instant }
  suppressed: { at: Instant; reason: Reason | null }
  'edition-cancelled': { reason: Reason | null }
  /** The relay had not answered when the sender's process ended. */
  'sender-stopped': NoValues
  /** The relay's reply could not be written to the store. */
  'reply-not-recorded': NoValues
  /** There was no answer: no connection, or one that broke. */
  'no-connection': { host: string; port: number; message: string }
  'connection-lost': { message: string }
  /** The relay answered before it had the message. */
  'answered-early': NoValues
  'invalid-address': { address: string }
  'no-smtputf8': { address: string }
  'message-too-large': { bytes: number; maximum: number }
  'given-up': { attempts: number }
  'connection-cut': { forMs: number }
}

/** What happened to a subscription or an address. */
type AddressValues = {
  /** A permanent refusal of a server, by its cause. */
  refused: { cause: string; reply: string | null }
  unsubscribed: { digest: string; how: string }
  resubscribed: { digest: string; how: string; askedAt: Instant; confirmedAt: Instant }
  /** The suppression of the address was lifted: `reason` is that of the suppression. */
  released: { who: string; words: string | null; suppressedAt: Instant; reason: Reason | null }
  /** The state of a person in an imported file. `column`: null where the state is the heading itself. */
  imported: {
    standing: 'active' | 'pending' | 'left' | 'bounced' | 'complained'
    state: string
    column: string | null
    tool: string | null
    file: string
    line: number
    isBroken: boolean
  }
  /** What earlier versions kept as a sentence: of an imported complaint, and of a subscription that ended or began. */
  complained: { text: string }
  subscription: { digest: string; text: string }
}

type FeedValues = {
  /** The server answered with an error. */
  'feed-status': { status: number; message: string }
  'feed-unreachable': { message: string }
  'feed-unreadable': { message: string }
  'feed-not-saved': { message: string }
  'feed-new': NoValues
  'feed-works': { weekly: number | null }
  'feed-failing': { failingMs: number; failures: number; error: Reason }
  'feed-silent': { silentMs: number; longestMs: number }
  'feed-gone': { since: Instant }
  'articles-wait': { count: number; reason: Reason }
  flood: { count: number; usual: number }
  'known-articles': { count: number }
  /** By its title and site: `siteUrl` is empty if it names none. */
  'feed-changed-hands': { title: string; siteUrl: string }
  'feed-refused': { title: string; siteUrl: string }
}

/** Why an entry of a feed cannot be an article. */
type RejectionValues = {
  'link-too-long': { maximum: number }
  'link-not-web': NoValues
  'link-not-public': NoValues
  'link-with-password': NoValues
  'feed-not-ours': NoValues
  'empty-entry': NoValues
  'duplicate-entry': NoValues
  'feed-cut-off': NoValues
  'entries-not-read': { count: number; read: number }
}

/** The evidence for a correction, and why one no longer holds. */
type CorrectionValues = {
  'feed-headline': { source: string }
  'feed-note': { source: string }
  'page-headline': NoValues
  'page-note': NoValues
  'note-maybe-older': NoValues
  /** What differs between two headlines. A negation that was added has an empty `was`, one removed an empty `now`. */
  'changed-fact': {
    fact: 'number' | 'name' | 'meaning' | 'negation-added' | 'negation-removed'
    was: string
    now: string
  }
  'page-answer': { answer: string }
  'withdrawn-by': { who: string }
  'page-back': NoValues
  'headline-now': { title: string }
  'headline-other': NoValues
  'note-removed': NoValues
}

/** What an editor changed in an edition. `text`: null where it was removed. */
type EditValues = {
  'edit-pin': { headline: string; section: string }
  'edit-move': { headline: string; section: string }
  'edit-drop': { headline: string }
  'edit-exclude': { headline: string }
  'edit-order': { section: string }
  'edit-reword': { headline: string; title: string | null; hasSummary: boolean }
  'edit-picture': { headline: string; isRemoved: boolean }
  'edit-text': { field: 'introduction' | 'subject' | 'preheader'; text: string | null }
  'edit-block': { heading: string }
}
