import type { Kysely, Transaction } from 'kysely'
import type { Instant } from '../time/clock.ts'
import type { Actor, EventKind, EventValues } from './events/event.ts'
import type { Reason } from './events/reason.ts'
import type { Json } from './json.ts'

/**
 * The tables in the code's names; the migrations create them, and a contract test compares the two. Ids are UUIDv7
 * text, times are Instants, a flag is a nullable Instant, structured values are JSON text.
 */
export type Schema = {
  settings: { name: string; value: string }
  /** `command`: `start` also serves the pages; `run` only sends. Null for other programs. */
  workers: {
    id: string
    host: string
    pid: number
    startedAt: Instant
    seenAt: Instant
    command: 'start' | 'run' | null
  }
  /** Every run of the digest that was due up to `decidedUntil` is composed or skipped. */
  digests: {
    name: string
    firstSeenAt: Instant
    decidedUntil: Instant
  }
  /** From `at`, this schedule and zone (`0 7 * * FRI Europe/London`) decide the digest's runs; '' while its job file is missing. */
  scheduleChanges: { digest: string; at: Instant; schedule: string }
  jobReaders: JobReaderRow
  feeds: FeedRow
  events: EventRow
  rejections: RejectionRow
  articles: ArticleRow
  forgottenArticles: ForgottenArticleRow
  earlierAddresses: EarlierAddressRow
  letters: LetterRow
  ledger: LedgerRow
  editions: EditionRow
  choices: ChoiceRow
  edits: EditRow
  corrections: CorrectionRow
  variants: VariantRow
  subscribers: SubscriberRow
  subscriptions: SubscriptionRow
  deliveries: DeliveryRow
  deliveryCounts: DeliveryCountsRow
  outcomes: OutcomeRow
  confirmations: ConfirmationRow
  /** Stops of all sending: while one is in force, nothing is sent. */
  brakes: SendingStopRow
  pulls: RetractionRow
  outbox: OutboxRow
  /** Mail providers with a reduced rate, in messages a second; a provider without a row has full speed. */
  paces: ProviderRateRow
  /** The mail provider of a domain, by its MX; the domain itself if the provider is unknown. */
  providers: { domain: string; provider: string; foundAt: Instant }
  /**
   * The number of messages of a daily quota used on a day; the quota is that of the warm-up or of the relay with that
   * name.
   */
  allowances: { name: string; day: string; sent: number }
  canaries: CanaryRow
  /** When an edition is sent to the subscribers of a zone. */
  zoneSends: { editionId: string; zone: string; at: Instant }
  slices: SliceRow
  tasks: TaskRow
  /** Times when the clock was ahead, one row for each digest that noticed it. */
  clockFaults: ClockFaultRow
  /** When the next message may start at the relay with that name, by its limit of messages a second. */
  rates: { name: string; freeAt: Instant }
  /** Article pages that were fetched for data missing in the feed. */
  pages: { url: string; fetchedAt: Instant; found: string | null; error: Json<Reason> | null }
  robots: { origin: string; fetchedAt: Instant; rules: string }
  pictures: PictureRow
  /** What was made of the picture at an address for a role; either `hash` or `reason` is null. */
  pictureSources: { key: string; hash: string | null; reason: Json<Reason> | null; fetchedAt: Instant }
  /** The pictures in the sealed bytes of an edition. */
  editionPictures: { editionId: string; hash: string }
  staff: StaffRow
  signInLinks: { hash: string; staff: string; createdAt: Instant; expiresAt: Instant; usedAt: Instant | null }
  sessions: SessionRow
  keptForms: KeptFormRow
  sessionEnds: SessionEndRow
}

/** A person who may sign in by email. `emailKey` is `addressKey` of the address. */
/** A picture as emails show it, by the SHA-256 of its bytes (hexadecimal). */
export type PictureRow = {
  hash: string
  type: 'jpg' | 'png'
  bytes: Uint8Array
  /** In pixels. */
  width: number
  height: number
  madeAt: Instant
}

export type StaffRow = { name: string; email: string; emailKey: string; addedAt: Instant }

/** A signed-in browser. Each use moves `expiresAt` forward. */
export type SessionRow = {
  /** SHA-256 of the token in the cookie. */
  hash: string
  staff: string
  createdAt: Instant
  lastUsedAt: Instant
  expiresAt: Instant
}

/** The fields of a form that was submitted after its session had ended. */
export type KeptFormRow = {
  id: string
  /** The session of the browser that submitted it; after the next sign-in, the new session. */
  sessionHash: string
  /** The member of staff who was signed in when the form was filled in; only this person sees it. */
  staff: string
  /** The path that the form submits to, below that of `web.url`. */
  action: string
  /** JSON: names and values, without the token of the form. */
  fields: string
  expiresAt: Instant
}

/** `endedBy` ended the sessions and the unused sign-in links of `staff`; `sessions` and `links` are their numbers. */
export type SessionEndRow = {
  id: string
  staff: string
  endedBy: string
  at: Instant
  sessions: number
  links: number
}

export type Db = Kysely<Schema> | Transaction<Schema>

export type FeedRow = {
  id: string
  url: string
  title: string
  siteUrl: string | null
  etag: string | null
  lastModified: string | null
  createdAt: Instant
  fetchedAt: Instant | null
  succeededAt: Instant | null
  failures: number
  error: Json<Reason> | null
  rejected: number
  /** The address of the feed since its permanent redirect; null: `url`, which the job files name. */
  address: string | null
  /** When it answered 410 (Gone, RFC 9110 §15.5.11); it is not fetched again. */
  goneAt: Instant | null
  /** Null: now. */
  nextFetchAt: Instant | null
  /** The update interval that the feed requests, in seconds. */
  ttl: number | null
  failingSince: Instant | null
  firstItemAt: Instant | null
  newestItemAt: Instant | null
  /** The longest time without a new article, in seconds. */
  longestSilence: number | null
  /** New articles a week. */
  weekly: number | null
  /** When it was last read with the full text of its articles; null: its last read was without. */
  bodiesAt: Instant | null
  /** Since when it has another publisher, by all that can be seen, and which; null: since never, or an editor accepted it. */
  newPublisherAt: Instant | null
  newPublisher: Json<Publisher> | null
  /** When an editor said that this publisher is not ours: its articles are not saved. */
  notOursAt: Instant | null
}

/** How a feed presents itself. `movedTo`: its address after permanent redirects, which is not yet used; null: none. */
export type Publisher = { title: string; siteUrl: string | null; movedTo: string | null }

/** An event with the ids of its subjects. The event stays when they are deleted. */
export type EventRow = {
  id: string
  at: Instant
  actor: Actor
  kind: EventKind
  edition: string | null
  article: string | null
  subscriber: string | null
  feed: string | null
  data: Json<EventValues[EventKind]>
}

/** A feed entry that cannot be an article. */
export type RejectionRow = {
  feedId: string
  /** Identifies the entry in later reads. */
  entry: string
  title: string
  /** Link and guid as the feed has them; they may be invalid addresses. */
  link: string
  guid: string
  reason: Json<Reason>
  firstAt: Instant
  lastAt: Instant
}

/** A former address of an article: in full (`url`), and in canonical form (`canonical`). */
export type EarlierAddressRow = { articleId: string; canonical: string; url: string; until: Instant }

export type ArticleRow = {
  id: string
  feedId: string
  identity: string
  url: string
  title: string
  summary: string
  author: string
  image: string | null
  video: string | null
  categories: string
  publishedAt: Instant | null
  updatedAt: Instant | null
  seenAt: Instant
  /** JSON: data from the article's page that the feed lacks. */
  page: string | null
  /** Address and title for recognising the article under another guid or in another feed. */
  canonical: string
  titleKey: string
  /** See `fingerprintText`; null: it has no text, or an earlier version stored it. */
  textFingerprint: string | null
  /** When the feed last contained it, and at which place, from 0. */
  shownAt: Instant
  place: number
  /** The correction note in the feed's text; empty if none. */
  note: string
  /** JSON: the full text as safe HTML; null where the feed has none, or no digest needs it. */
  body: string | null
  /** When to resolve the redirect of its address; null: no check is due. */
  askAt: Instant | null
  /** The canonical form of the feed's address, where another address replaced it. */
  asked: string | null
  /** The canonical form of the redirect's target, whether it was accepted or not. */
  leadsTo: string | null
}

/**
 * The remains of a deleted article, so that its feed cannot bring it back as a new one. Each text that identifies it is
 * stored as a hash (`fingerprint`).
 */
export type ForgottenArticleRow = {
  feedId: string
  identity: string
  /** The guid or link that it shared with other entries of its feed; null: none. */
  shared: string | null
  canonical: string
  asked: string | null
  titleKey: string
  /** The date of the article, else when the feed last contained it. */
  datedAt: Instant
  seenAt: Instant
  forgottenAt: Instant
  /** When the feed last contained it again, else `forgottenAt`. */
  shownAt: Instant
  /** `age`: older than the rule allows. `count`: its feed has too many newer articles. */
  reason: 'age' | 'count'
}

/** A reader's letter to one digest; pending while it is neither in an edition nor withdrawn. */
export type LetterRow = {
  id: string
  digest: string
  headline: string
  /** Paragraphs with a blank line between them. `text`, `name` and `place` are empty after withdrawal. */
  text: string
  /** SHA-256 of the text, ignoring case and white space; empty after withdrawal. */
  textHash: string
  /** The writer's name and place, as printed. */
  name: string
  place: string
  /** When the reader sent it (`receivedAt`), and when a member of staff entered it (`enteredAt`). */
  receivedAt: Instant
  enteredAt: Instant
  enteredBy: string
  editedAt: Instant | null
  editedBy: string | null
  /** Starts at 1; each edit adds 1. */
  version: number
  withdrawnAt: Instant | null
  withdrawnBy: string | null
  /** The sealed edition that holds it. */
  editionId: string | null
}

/** The state of one article in one digest; pending while it is neither in an edition nor backlog. */
export type LedgerRow = {
  digest: string
  articleId: string
  feedId: string
  enrolledAt: Instant
  backlogAt: Instant | null
  /** Why it is backlog, unless it was too old at first sight, an editor decided, or an edition passed it over. */
  backlogReason: Json<Reason> | null
  editionId: string | null
  /** The first article of the story, where this one is another copy; in quarantine, the article that it seems to copy. */
  sameAs: string | null
  /** The article that it seemed to copy, before an editor decided that it is another story. */
  unlike: string | null
  /** An article of another story that it may repeat; editors are told. Null: none, or an editor said that it is not. */
  possibleDuplicateOf: string | null
  /** When it was compared with the other articles; null: it is new, or its text has changed since. */
  comparedAt: Instant | null
  /** When it was quarantined for an editor's decision, and why: the feed had too many new articles at once. */
  quarantinedAt: Instant | null
  quarantineReason: Json<Reason> | null
  /** When its page was found gone just before a seal, and the evidence. */
  cutAt: Instant | null
  cutReason: Json<Reason> | null
  /** The edition that passed it over for the last time; it has been backlog since then. */
  lapsedIn: string | null
}

/** `held`: waits for a decision before sending. `paused`: stopped during sending. */
export type EditionStatus =
  | 'composed'
  | 'sealed'
  | 'held'
  | 'approved'
  | 'sending'
  | 'paused'
  | 'sent'
  | 'skipped'
  | 'cancelled'

export type EditionRow = {
  id: string
  /** The last eight hex digits of the id, for delivery keys. */
  ref: string
  digest: string
  dueAt: Instant
  number: number | null
  status: EditionStatus
  reason: Json<Reason> | null
  subject: string
  preheader: string
  composedAt: Instant
  /** JSON from the time of composition: `localTime`, and the `zone` of the schedule. Null: the edition is older than this column. */
  timing: string | null
  sealedAt: Instant | null
  approvedAt: Instant | null
  audienceAt: Instant | null
  finishedAt: Instant | null
  /** The digest's setting at composition. It applies when the digest's job file is missing. */
  archive: 'on' | 'off'
  /** The instant whose day the email and the archive show. Null: the due time, for editions older than this column. */
  datedAt: Instant | null
  /** The person who holds the edition, also while it is composed; null if nobody or a rule does. */
  heldBy: string | null
  /** When a person allowed sending in spite of obstacles. */
  overriddenAt: Instant | null
  /** How many times it was sealed; 0: never. */
  revision: number
}

/** One editor's change to an edition; see `editions/edits/edit.ts`. */
export type EditRow = {
  id: string
  editionId: string
  /** Counts the edits of the edition, from 1. */
  number: number
  kind: string
  /** The id of an article or of a block, or the name of a section; empty: the edition. */
  target: string
  /** By kind. */
  data: Json<object>
  who: string
  at: Instant
  /** When the edit was undone. */
  undoneAt: Instant | null
  undoneBy: string | null
}

/** An article or a letter that an edition considered. It is chosen if it has a position; the reason is stored either way. */
export type ChoiceRow = {
  editionId: string
  /** One of the two is null. */
  articleId: string | null
  letterId: string | null
  section: string
  position: number | null
  reason: Json<Reason>
  /** When it was passed over for the last time; no later edition considers it. */
  lastAt: Instant | null
  /** Headline and address as the sealed edition has them, and the feed's correction note at that time. */
  saidTitle: string | null
  saidUrl: string | null
  saidNote: string | null
  /** The feed's headline at that time, where an editor printed another one. */
  feedTitle: string | null
  /** Headline and correction note on the article's page at that time; null: the page was not checked. */
  pageTitle: string | null
  pageNote: string | null
  /** When its page was last fetched after the edition was sent. */
  lookedAt: Instant | null
  /** The first of the checks in a row that found its page missing (404). */
  missingAt: Instant | null
}

/** A `start` process and the job files that it rejects; `rejected` is JSON of `JobProblem`. */
export type JobReaderRow = { id: string; folder: string; seenAt: Instant; rejected: string }

/** `doubted`: accepted, but the evidence is gone. `withdrawn`: accepted, noted in the archive, then withdrawn. */
export type CorrectionStatus = 'proposed' | 'accepted' | 'doubted' | 'dismissed' | 'withdrawn' | 'lapsed'

/** A change since an edition printed an article: a new headline, a correction note, or a missing page. */
export type CorrectionRow = {
  id: string
  digest: string
  /** The edition that needs the correction, and the article that it is about. */
  editionId: string
  articleId: string
  /** `withdrawal`: an earlier, printed correction was wrong. */
  kind: 'headline' | 'note' | 'gone' | 'withdrawal'
  /** Only a correction is shown at once; a story that went on and a rewording are folded away. */
  class: 'correction' | 'development' | 'rewording'
  /** Where the change was found; a withdrawal comes from an editor. */
  source: 'feed' | 'page' | 'editor'
  /** Equal for equal changes, however they are written. */
  changeKey: string
  /** The current headline or note; for `gone`, the server's answer. */
  found: string
  evidence: Json<Reason>
  status: CorrectionStatus
  proposedAt: Instant
  /** When its change was no longer found. */
  lapsedAt: Instant | null
  /** The editor's text, once the correction is accepted. */
  words: string | null
  decidedAt: Instant | null
  decidedBy: string | null
  /** The sealed edition that holds it. */
  printedIn: string | null
  /** Since when the change is no longer found, and why. */
  undoneAt: Instant | null
  undoneWhy: Json<Reason> | null
  /** When an editor withdrew a correction that was noted in the archive, who, and why. */
  withdrawnAt: Instant | null
  withdrawnBy: string | null
  withdrawnReason: string | null
}

export type VariantRow = {
  id: string
  editionId: string
  name: string
  /** JSON: the headers that all copies share. */
  head: string
  subject: string
  html: string
  text: string
  sha256: string
  /** The placeholder in the bytes for each subscriber's key. */
  slot: string
  sealedAt: Instant
  /** When a new choice of articles replaced these bytes; they are kept as evidence and are not sent. */
  withdrawnAt: Instant | null
}

export type SubscriberRow = {
  id: string
  email: string
  /** The address in lower case, for comparison. */
  emailKey: string
  name: string
  attributes: string
  /** IANA time zone; null: unknown, the digest's zone applies. */
  zone: string | null
  createdAt: Instant
  suppressedAt: Instant | null
  suppressedReason: Json<Reason> | null
}

export type SubscriptionRow = {
  digest: string
  subscriberId: string
  confirmedAt: Instant | null
  leftAt: Instant | null
  proof: string
}

export type DeliveryStatus = 'queued' | 'sending' | 'accepted' | 'deferred' | 'refused' | 'unknown' | 'skipped'

export type DeliveryRow = {
  editionId: string
  subscriberId: string
  status: DeliveryStatus
  attempts: number
  workerId: string | null
  /** The relay's last reply; empty or null: none. */
  reply: string | null
  /** Why it has its status, where the reply does not say it. */
  reason: Json<Reason> | null
  /** Not before this; null: now. */
  nextAttemptAt: Instant | null
  /** Since when every connection has broken before the message was complete; null: the last one did not. */
  cutSince: Instant | null
  /** The mail provider whose first share is sent before this delivery; null for the first share, and where no delivery waits. */
  canary: string | null
  /** The mail provider whose first share includes this delivery. */
  firstOf: string | null
  /** The relay of the last attempt; null where there is only one relay. */
  relay: string | null
  /** The status if it is `deferred`, `refused` or `unknown`, else null; an index covers the non-null rows. */
  exception: DeliveryStatus | null
  updatedAt: Instant
}

/**
 * An edition's deliveries to a range of subscribers, leased by one worker at a time. The seven numbers are the owner's
 * changes to the counters since the lease began; a release adds them to `deliveryCounts`.
 */
export type SliceRow = {
  editionId: string
  firstId: string
  lastId: string
  /** When a delivery of the slice can be sent; '' for now, null if none is left or all others wait for a canary. */
  dueAt: Instant | null
  /** How many deliveries were queued or deferred at the last release. */
  leftOpen: number
  workerId: string | null
  /** New with each lease. */
  leaseId: string | null
  /** Increases with each commit of its owner. */
  version: number
  /** JSON, a list of subscriber ids: the deliveries in flight, which count as `sending`. */
  inFlight: string
} & Record<DeliveryStatus, number>

/** Work that waits for a worker, or that one is doing. */
export type TaskRow = {
  id: string
  kind: string
  /** Unique within its kind. */
  key: string
  /** Tasks of different groups take turns. */
  groupKey: string
  /** JSON, an object of ids. */
  data: string
  notBefore: Instant
  /** How many times it was requested; a task that is requested while it runs is run again. */
  requests: number
  /** How many times it has failed. */
  attempts: number
  /** The worker that runs it; the task is free again once that worker is gone. */
  workerId: string | null
  /** The error of the last failure. */
  error: string | null
  /** When the retries ended. */
  deadAt: Instant | null
}

/** The number of deliveries in each status, without the changes of slice owners since their leases began. */
export type DeliveryCountsRow = { editionId: string; writer: string } & Record<DeliveryStatus, number>

/** The rate for a mail provider over a relay, in messages a second; `relay` is '' where there is only one. */
export type ProviderRateRow = {
  name: string
  relay: string
  rate: number
  reason: Json<Reason>
  slowedAt: Instant
  updatedAt: Instant
}

/** A mail provider that gets a first share of an edition before its other deliveries. */
export type CanaryRow = {
  editionId: string
  name: string
  /** The number of people in the audience at this provider. */
  recipients: number
  /** The first share: people whose ids end between these two places; the range may wrap from `fff` to `000`. */
  firstPlace: string
  lastPlace: string
  /** When the first share was finished. */
  waitingSince: Instant | null
  releasedAt: Instant | null
  stoppedAt: Instant | null
}

export type OutcomeRow = {
  id: string
  /** `bounce`: a permanent refusal that does not suppress by itself. `suppress` and `release` change the person's suppression. */
  kind: 'leave' | 'return' | 'bounce' | 'suppress' | 'release'
  subscriberId: string
  editionId: string | null
  at: Instant
  detail: Json<Reason>
}

/** The request of a person who left to subscribe again; the owner of the address has to confirm it. */
export type ConfirmationRow = {
  /** The link carries it as a signed token. */
  id: string
  digest: string
  subscriberId: string
  /** The edition whose link made the request. */
  editionId: string | null
  how: string
  askedAt: Instant
  expiresAt: Instant
  /** When the last email was sent to a relay, with any answer. */
  sentAt: Instant | null
  usedAt: Instant | null
}

export type SendingStopRow = {
  id: string
  /** `yes` while sending is stopped, so that there is one at most; null once it was resumed. */
  inForce: string | null
  at: Instant
  who: string
  reason: string
  releasedAt: Instant | null
  releasedBy: string | null
}

/** A retracted article. Its id and its address each have a row. */
export type RetractionRow = {
  id: string
  mark: string
  /** The mark while the retraction is active, so that it is unique; null once the article is restored. */
  inForce: string | null
  url: string
  title: string
  at: Instant
  who: string
  reason: string
  restoredAt: Instant | null
  restoredBy: string | null
}

/** One email to one address, waiting or sent; see `store/outbox/outbox.ts`. */
export type OutboxRow = {
  id: string
  kind: string
  /** The subject of the email; it is unique, so that no notice is sent twice. */
  key: string
  /** The data of the email, which is rendered when it is sent. */
  facts: Json<object>
  createdAt: Instant
  notBefore: Instant
  /** It is not tried after this. */
  expiresAt: Instant
  attempts: number
  /** Until when a process holds it for sending. */
  leasedUntil: Instant | null
  sentAt: Instant | null
  /** When it was refused, or its last attempt before `expiresAt` failed. With `sentAt`: it may not have arrived. */
  failedAt: Instant | null
  /** Recipient, subject and reply of the last attempt. */
  recipient: string | null
  subject: string | null
  reply: string | null
  /** Why the last attempt got no reply. */
  reason: Json<Reason> | null
}

export type ClockFaultRow = {
  id: string
  digest: string
  /** Runs up to this time were recorded as decided too early. */
  aheadUntil: Instant
  noticedAt: Instant
  /** JSON: runs that were recorded as skipped and are open again, with `dueAt`, `reason`, `composedAt`. */
  reopened: string
}
