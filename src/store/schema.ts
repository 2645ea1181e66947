import type { Kysely, Transaction } from 'kysely'
import type { Instant } from '../time/clock.ts'
import type { Actor, EventKind, EventValues } from './events/event.ts'
import type { Reason } from './events/reason.ts'
import type { Json } from './json.ts'

/**
 * The tables as the code sees them; the migrations are what makes them, and a contract test compares the two.
 * Ids are UUIDv7 text, times are Instants, truth is a nullable Instant, structure is JSON text.
 */
export type Schema = {
  settings: { name: string; value: string }
  /** `command`: `start` serves the pages as well; `run` only sends. Null for programs that say neither. */
  workers: {
    id: string
    host: string
    pid: number
    startedAt: Instant
    seenAt: Instant
    command: 'start' | 'run' | null
  }
  /** Every run of a digest that was due until `decidedUntil` has been made or skipped. */
  digests: {
    name: string
    firstSeenAt: Instant
    decidedUntil: Instant
  }
  /** From `at` on the runs of the digest are decided by this schedule and zone (`0 7 * * FRI Europe/London`); '' while its job file is away. */
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
  /** While one is in force nothing goes out. */
  brakes: BrakeRow
  pulls: RetractionRow
  outbox: OutboxRow
  /** The mail providers that are written to slowly, in messages a second; those that are not here go at full speed. */
  paces: ProviderRateRow
  /** Who takes the mail of a domain, by its MX: the domain itself where that is nobody we know of. */
  providers: { domain: string; provider: string; foundAt: Instant }
  /** How many messages went out on a day, of those that a warm-up, or a relay of that name, allows. */
  allowances: { name: string; day: string; sent: number }
  canaries: CanaryRow
  /** When an edition is sent to the subscribers of a zone. */
  zoneSends: { editionId: string; zone: string; at: Instant }
  slices: SliceRow
  tasks: TaskRow
  /** Clocks that were ahead once, as each digest noticed it. */
  clockFaults: ClockFaultRow
  /** From when on the next message may be begun, of those that a relay of that name takes a second. */
  rates: { name: string; freeAt: Instant }
  /** Pages that were asked for what their feed leaves out. */
  pages: { url: string; fetchedAt: Instant; found: string | null; error: string | null }
  robots: { origin: string; fetchedAt: Instant; rules: string }
  signInLinks: { hash: string; staff: string; createdAt: Instant; expiresAt: Instant; usedAt: Instant | null }
  sessions: SessionRow
  keptForms: KeptFormRow
  sessionEnds: SessionEndRow
}

/** A browser that is signed in. `expiresAt` moves on with its use. */
export type SessionRow = {
  /** SHA-256 of the token in the cookie. */
  hash: string
  staff: string
  createdAt: Instant
  lastUsedAt: Instant
  expiresAt: Instant
}

/** What was typed into a form that was sent after its session had ended. */
export type KeptFormRow = {
  id: string
  /** The session of the browser that sent it, and then the one that it signed in with. */
  sessionHash: string
  /** Who was signed in where it was typed: nobody else is shown it. */
  staff: string
  /** The path that the form is sent to, below that of `web.url`. */
  action: string
  /** JSON: names and values, without the token of the form. */
  fields: string
  expiresAt: Instant
}

/** Somebody ended the sessions and the unused sign-in links of `staff`; how many there were. */
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
  /** Where it is asked since it moved for good; `url`, which the job files name, where this is null. */
  address: string | null
  /** It answered 410: it is asked no more. */
  goneAt: Instant | null
  /** Null: at once. */
  nextFetchAt: Instant | null
  /** Seconds between two visits, as the feed wishes them. */
  ttl: number | null
  failingSince: Instant | null
  firstItemAt: Instant | null
  newestItemAt: Instant | null
  /** Seconds; the longest time that it ever showed nothing new. */
  longestSilence: number | null
  /** New articles a week. */
  weekly: number | null
  /** It was last read with the whole text of its articles; null: without. */
  bodiesAt: Instant | null
}

/** A fact of the past, with the ids of what it is about. It outlives them. */
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

/** An entry of a feed that could not be an article. */
export type RejectionRow = {
  feedId: string
  /** What makes it the same entry next time. */
  entry: string
  title: string
  /** As the feed has them: they may be no address at all. */
  link: string
  guid: string
  reason: Json<Reason>
  firstAt: Instant
  lastAt: Instant
}

/** Where an article stood before: in full, and as it is recognised. */
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
  /** What its own page says where the feed says nothing, as JSON. */
  page: string | null
  /** The address and the title by which it is recognised under another guid, or in another feed. */
  canonical: string
  titleKey: string
  /** When its feed showed it last, and in which place, from 0. */
  shownAt: Instant
  place: number
  /** The correction that its feed tells of in the text; empty if none. */
  note: string
  /** Its whole text as safe HTML, as JSON; null where the feed has none, or nobody wants it. */
  body: string | null
  /** From then on its address is to be asked where it leads; null: there is nothing to ask. */
  askAt: Instant | null
  /** The canonical form of the address that its feed gives, where another one has taken its place. */
  asked: string | null
  /** The canonical form of the address that it was found to lead to, believed or not. */
  leadsTo: string | null
}

/**
 * What is left of an article that was deleted, so that its feed cannot bring it back as a new one. Each text by which it is
 * recognised is a hash (`fingerprint`).
 */
export type ForgottenArticleRow = {
  feedId: string
  identity: string
  /** The guid or link that it shared with other pieces of its feed; null: none. */
  shared: string | null
  canonical: string
  asked: string | null
  titleKey: string
  /** Its date, or when its feed showed it last where it has none. */
  datedAt: Instant
  seenAt: Instant
  forgottenAt: Instant
  /** When its feed showed it again; `forgottenAt` if it has not. */
  shownAt: Instant
  /** Older than the rule allows, or pushed out by too many newer articles of its feed. */
  reason: 'age' | 'count'
}

/** A reader's letter to one digest: pending while neither in an edition nor withdrawn. */
export type LetterRow = {
  id: string
  digest: string
  headline: string
  /** Paragraphs, with a blank line between two; empty once it is withdrawn, as are `name` and `place`. */
  text: string
  /** SHA-256 of the text without regard to case and white space; empty once it is withdrawn. */
  textHash: string
  /** Of the writer, as it is printed. */
  name: string
  place: string
  /** When the reader sent it, and when a member of staff entered it. */
  receivedAt: Instant
  enteredAt: Instant
  enteredBy: string
  editedAt: Instant | null
  editedBy: string | null
  /** 1, and one more with every rewording. */
  version: number
  withdrawnAt: Instant | null
  withdrawnBy: string | null
  /** The sealed edition that holds it. */
  editionId: string | null
}

/** What one digest has done with one article: pending while neither in an edition nor backlog. */
export type LedgerRow = {
  digest: string
  articleId: string
  feedId: string
  enrolledAt: Instant
  backlogAt: Instant | null
  editionId: string | null
  /** The article that told the story first, where this one is another copy of it; in quarantine, the one that it seems to be. */
  sameAs: string | null
  /** The article that it seemed to be, before an editor said that it is another story. */
  unlike: string | null
  /** When it was compared with what else is known; null: it is new, or reads otherwise since. */
  comparedAt: Instant | null
  /** Waits for an editor, with the reason: its feed showed suspiciously many articles at once. */
  quarantinedAt: Instant | null
  quarantineReason: Json<Reason> | null
  /** Its page was gone just before a seal. */
  cutAt: Instant | null
  cutReason: Json<Reason> | null
  /** The edition that passed it over for the last time: it is backlog since. */
  lapsedIn: string | null
}

/** `held` waits for a decision before it is sent; `paused` has stopped while it was being sent. */
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
  /** The last eight hex digits of the id: what a delivery key carries of it. */
  ref: string
  digest: string
  dueAt: Instant
  number: number | null
  status: EditionStatus
  reason: Json<Reason> | null
  subject: string
  preheader: string
  composedAt: Instant
  /** JSON, as it was when the edition was made: `localTime`, and the `zone` of the schedule. Null: made before this was kept. */
  timing: string | null
  sealedAt: Instant | null
  approvedAt: Instant | null
  audienceAt: Instant | null
  finishedAt: Instant | null
  /** As its digest had it when it was made. It counts once the job file of the digest is away. */
  archive: 'on' | 'off'
  /** The instant whose day the email and the archive show. Null: the due time, for editions made before this was kept. */
  datedAt: Instant | null
  /** Of a held edition: the person who holds it; null if a rule does. */
  heldBy: string | null
  /** When somebody let it go out in spite of its obstacles. */
  overriddenAt: Instant | null
  /** How often it was sealed; 0: never. */
  revision: number
}

/** One change that an editor made to an edition; see `editions/edits/edit.ts`. */
export type EditRow = {
  id: string
  editionId: string
  /** Counts the edits of the edition, from 1. */
  number: number
  kind: string
  /** The id of an article or of a block, or the name of a section; empty: the edition. */
  target: string
  /** JSON, by kind. */
  data: string
  who: string
  at: Instant
  /** When it was taken back, and by whom. */
  undoneAt: Instant | null
  undoneBy: string | null
}

/** An article or a letter that an edition looked at. Chosen if it has a position; the reason is kept either way. */
export type ChoiceRow = {
  editionId: string
  /** One of the two is null. */
  articleId: string | null
  letterId: string | null
  section: string
  position: number | null
  reason: Json<Reason>
  /** It was passed over for the last time: no later edition looks at it. */
  lastAt: Instant | null
  /** The headline and the address as the sealed edition has them, and the correction that the feed told of by then. */
  saidTitle: string | null
  saidUrl: string | null
  saidNote: string | null
  /** The headline that the feed had then, where an editor printed another one. */
  feedTitle: string | null
  /** The headline and the correction on its own page then; null: nobody looked. */
  pageTitle: string | null
  pageNote: string | null
  /** When its page was asked for last, since the edition went out. */
  lookedAt: Instant | null
  /** Since when its page is missing (404), by the looks since then. */
  missingAt: Instant | null
}

/** A `start` process and the job files that it refuses; `rejected` is JSON of `JobProblem`. */
export type JobReaderRow = { id: string; folder: string; seenAt: Instant; rejected: string }

/** `doubted`: accepted, but the evidence has gone since. `withdrawn`: accepted, noted in the archive, and taken back. */
export type CorrectionStatus = 'proposed' | 'accepted' | 'doubted' | 'dismissed' | 'withdrawn' | 'lapsed'

/** Something that an edition said and that is no longer so: another headline, a correction note, a page that is gone. */
export type CorrectionRow = {
  id: string
  digest: string
  /** The edition that said it, and the article that it said it of. */
  editionId: string
  articleId: string
  /** `withdrawal`: an earlier, printed correction was wrong. */
  kind: 'headline' | 'note' | 'gone' | 'withdrawal'
  /** Where it was found; a withdrawal is an editor's. */
  source: 'feed' | 'page' | 'editor'
  /** The same for the same change, however it is written. */
  changeKey: string
  /** The headline or the note of today; for `gone` what the server answered. */
  found: string
  evidence: Json<Reason>
  status: CorrectionStatus
  proposedAt: Instant
  /** It went away by itself. */
  lapsedAt: Instant | null
  /** The editor's own words, once it is accepted. */
  words: string | null
  decidedAt: Instant | null
  decidedBy: string | null
  /** The sealed edition that holds it. */
  printedIn: string | null
  /** What was found is not there any more, since then; why. */
  undoneAt: Instant | null
  undoneWhy: Json<Reason> | null
  /** It was noted in the archive, and an editor took it back. */
  withdrawnAt: Instant | null
  withdrawnBy: string | null
  withdrawnReason: string | null
}

export type VariantRow = {
  id: string
  editionId: string
  name: string
  /** JSON of what the headers say of all copies. */
  head: string
  subject: string
  html: string
  text: string
  sha256: string
  /** What stands in the bytes where each subscriber's key goes. */
  slot: string
  sealedAt: Instant
  /** The edition was chosen again since: these bytes are kept as evidence, and nobody gets them. */
  withdrawnAt: Instant | null
}

export type SubscriberRow = {
  id: string
  email: string
  /** The address in lower case, by which we recognise it. */
  emailKey: string
  name: string
  attributes: string
  /** IANA; that of the digest where it is not known. */
  zone: string | null
  createdAt: Instant
  suppressedAt: Instant | null
  suppressedReason: string | null
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
  reply: string | null
  /** Not before this; null: at once. */
  nextAttemptAt: Instant | null
  /** Since when its connections have broken before the message was whole, each time; null: the last one did not. */
  cutSince: Instant | null
  /** The mail provider whose first share goes before this one; null for that share, and for all where nobody waits. */
  canary: string | null
  /** The mail provider of whose first share this one is. */
  firstOf: string | null
  /** By which relay it went, or was tried last; null where there is only one. */
  relay: string | null
  /** The status where it is `deferred`, `refused` or `unknown`, else null: an index lists these, and no other. */
  exception: DeliveryStatus | null
  updatedAt: Instant
}

/**
 * The deliveries of an edition to a range of subscribers, which one worker leases at a time. The seven numbers are what
 * its owner has changed in the counters since the lease began; a release adds them to `deliveryCounts`.
 */
export type SliceRow = {
  editionId: string
  firstId: string
  lastId: string
  /** When something of it can be sent; '' for at once, null where nothing is left, or what is left waits for a canary. */
  dueAt: Instant | null
  /** How many deliveries were queued or deferred at the last release. */
  leftOpen: number
  workerId: string | null
  /** New with each lease. */
  leaseId: string | null
  /** Goes up with each commit of its owner. */
  version: number
  /** JSON, a list of subscriber ids: the deliveries that are being handed to a relay. They are counted as `sending`. */
  inFlight: string
} & Record<DeliveryStatus, number>

/** Something that a worker is to do. */
export type TaskRow = {
  id: string
  kind: string
  /** There is at most one task of a kind with this key. */
  key: string
  /** Tasks of different groups take turns. */
  groupKey: string
  /** JSON, an object of ids. */
  data: string
  notBefore: Instant
  /** How often it was asked for: one that is asked for while it is done is done again. */
  requests: number
  /** How often it has failed. */
  attempts: number
  /** Who does it now; free again once that worker is gone. */
  workerId: string | null
  /** Of the last failure. */
  error: string | null
  /** Since when it is not tried any more. */
  deadAt: Instant | null
}

/** The number of deliveries in each status, but for what owners of slices have changed since their lease began. */
export type DeliveryCountsRow = { editionId: string; writer: string } & Record<DeliveryStatus, number>

/** How fast a mail provider is written to over a relay, in messages a second; `relay` is '' where there is only one. */
export type ProviderRateRow = {
  name: string
  relay: string
  rate: number
  reason: string
  slowedAt: Instant
  updatedAt: Instant
}

/** A mail provider at which the first share of an edition goes alone. */
export type CanaryRow = {
  editionId: string
  name: string
  /** How many of the audience it has. */
  recipients: number
  /** Who goes first: those whose ids end between these two, which may go over the end from `fff` to `000`. */
  firstPlace: string
  lastPlace: string
  /** When the first share was through. */
  waitingSince: Instant | null
  releasedAt: Instant | null
  stoppedAt: Instant | null
}

export type OutcomeRow = {
  id: string
  /** `bounce`: a lasting refusal that does not suppress by itself. `suppress` and `release` are what became of the person. */
  kind: 'leave' | 'return' | 'bounce' | 'suppress' | 'release'
  subscriberId: string
  editionId: string | null
  at: Instant
  detail: string
}

/** That a person who left wants to subscribe again, which the owner of the address has to confirm. */
export type ConfirmationRow = {
  /** Its signed token stands in the link. */
  id: string
  digest: string
  subscriberId: string
  /** The edition whose link was used to ask. */
  editionId: string | null
  how: string
  askedAt: Instant
  expiresAt: Instant
  /** When the last email was handed to a relay, whatever it answered. */
  sentAt: Instant | null
  usedAt: Instant | null
}

export type BrakeRow = {
  id: string
  /** `yes` while it is on, so that there is one; null once it is released. */
  inForce: string | null
  at: Instant
  who: string
  reason: string
  releasedAt: Instant | null
  releasedBy: string | null
}

/** An article that an editor withdrew. It is known by its id and by its address: each has a row. */
export type RetractionRow = {
  id: string
  mark: string
  /** The mark while it is pulled, so that it is pulled once; null once it is restored. */
  inForce: string | null
  url: string
  title: string
  at: Instant
  who: string
  reason: string
  restoredAt: Instant | null
  restoredBy: string | null
}

/** One email to one address that waits to be sent, or was sent: see `store/outbox/outbox.ts`. */
export type OutboxRow = {
  id: string
  kind: string
  /** What it tells of: there is one row for it, so that nobody is told twice. */
  key: string
  /** JSON from which the email is written when it is sent. */
  facts: string
  createdAt: Instant
  notBefore: Instant
  /** It is not tried after this. */
  expiresAt: Instant
  attempts: number
  /** A process is sending it. */
  leasedUntil: Instant | null
  sentAt: Instant | null
  /** It was refused, or its last try before `expiresAt` has failed. */
  failedAt: Instant | null
  /** Of the last try. */
  recipient: string | null
  subject: string | null
  reply: string | null
}

export type ClockFaultRow = {
  id: string
  digest: string
  /** The runs up to then were put down as decided before their time. */
  aheadUntil: Instant
  noticedAt: Instant
  /** JSON of the runs that were put down as skipped, and are open again: `dueAt`, `reason`, `composedAt`. */
  reopened: string
}
