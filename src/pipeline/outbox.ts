import type { App } from '../app.ts'
import { envelopeSender } from '../config/config.ts'
import type { RelayPool } from '../deliveries/relays/relay-pool.ts'
import { describeReason } from '../describe/describe.ts'
import { signMessage } from '../mail/dkim.ts'
import { plainMail } from '../mail/plain-mail.ts'
import { answerOf, type SendResult } from '../mail/smtp/result.ts'
import { currentSendingStop } from '../store/deliveries/sending-stop.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { fromJson, toJson } from '../store/json.ts'
import {
  type AttemptResult,
  claimMail,
  deleteMails,
  dueMails,
  leaseRenewalMs,
  type MailFacts,
  type MailKind,
  nextAttemptAt,
  postponeMails,
  recordAttempt,
  renewLease,
} from '../store/outbox/outbox.ts'
import type { OutboxRow } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'
import { writeConfirmation } from './confirmations.ts'
import { writeFeedNotice } from './notices/feed-trouble.ts'
import { writePausedNotice, writeRelayNotice } from './notices/paused-edition.ts'
import { writeSkippedRunNotice } from './notices/skipped-run.ts'
import { writeReminder, writeReplacedNotice, writeWaitingNotice } from './notices/waiting-edition.ts'
import { writeClockNotice } from './notices/wrong-clock.ts'
import type { Sender } from './sending/sender.ts'
import { writeSignInMail } from './sign-in/sign-in-mail.ts'
import type { MailOutcome, WriteMail, WrittenMail } from './written-mail.ts'

const writers: { [Kind in MailKind]: WriteMail<Kind> } = {
  'edition-paused': writePausedNotice,
  'edition-replaced': writeReplacedNotice,
  'edition-waiting': writeWaitingNotice,
  'edition-reminder': writeReminder,
  'relay-failing': writeRelayNotice,
  'run-skipped': writeSkippedRunNotice,
  'feed-trouble': writeFeedNotice,
  'wrong-clock': writeClockNotice,
  confirmation: writeConfirmation,
  'sign-in': writeSignInMail,
}

/** Due emails of one of these kinds are combined into one email. */
const groupedKinds: MailKind[] = ['feed-trouble', 'wrong-clock']
/** Emails to subscribers: they wait while all sending is stopped. Notices to editors do not wait. */
const subscriberKinds: MailKind[] = ['confirmation']
const batchSize = 100

export type OutboxSender = Pick<Sender, 'signers'> & { relays: Pick<RelayPool, 'send'> }

/**
 * Sends the due emails of the outbox and returns the number accepted; an email that no relay accepts is retried with
 * growing delays until it expires. If a process dies after sending or no relay answers, the email is sent again with the
 * same Message-ID.
 */
export async function sendOutbox(app: App, sender: OutboxSender, signal?: AbortSignal): Promise<number> {
  const { db, clock } = app
  const except = (await currentSendingStop(db)) ? subscriberKinds : []
  const due = await dueMails(db, clock.now(), { except, limit: batchSize })
  const groups = Map.groupBy(due, ({ id, kind }) => (groupedKinds.some((one) => one === kind) ? kind : id))
  let sent = 0
  for (const group of groups.values()) {
    if (signal?.aborted) break
    const rows = await claimAll(app, group)
    const [first, ...rest] = rows
    const result = first && (await sendMail(app, sender, [first, ...rest]))
    if (result === 'accepted') sent += 1
    if (result === 'unsent') break // no relay can be reached, so the other emails would fail too
  }
  return sent
}

/** Claims emails in the order of their ids, so that two processes with the same emails cannot deadlock. */
async function claimAll({ db, clock }: App, group: Pick<OutboxRow, 'id'>[]): Promise<OutboxRow[]> {
  const ids = group.map(({ id }) => id).sort()
  return await transaction(db, async (trx) => {
    const claimed: OutboxRow[] = []
    for (const id of ids) {
      const row = await claimMail(trx, id, clock.now())
      if (row) claimed.push(row)
    }
    return claimed
  })
}

type Rows = [OutboxRow, ...OutboxRow[]]

/** Returns undefined if the email was deleted or postponed. */
async function sendMail(app: App, sender: OutboxSender, rows: Rows): Promise<SendResult['kind'] | undefined> {
  const { db, config, clock } = app
  const mail = await write(app, rows)
  const ids = rows.map(({ id }) => id)
  if (mail === undefined) await deleteMails(db, { ids })
  else if ('notBefore' in mail) await postponeMails(db, ids, mail.notBefore)
  if (mail === undefined || 'notBefore' in mail) return undefined
  const returnPath = envelopeSender(config).address
  const { envelope, raw } = plainMail({ ...mail, id: rows[0].id, returnPath, date: clock.now() })
  const message = { envelope, raw: await signMessage(raw, sender.signers, clock.now()) }
  const result = await whileLeased(app, ids, () => sender.relays.send(message))
  await record(app, rows, mail, result)
  return result.kind
}

/** Renews the lease of the emails until the work is done, so that no other process sends them too. */
async function whileLeased<T>({ db, clock }: App, ids: string[], work: () => Promise<T>): Promise<T> {
  const renew = () => void renewLease(db, ids, clock.now()).catch(() => {}) // the next renewal tries again
  const timer = setInterval(renew, leaseRenewalMs).unref()
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

async function write(app: App, rows: Rows): Promise<Awaited<ReturnType<WriteMail<MailKind>>>> {
  const { log, clock } = app
  const { kind, attempts } = rows[0]
  const writer = writers[kind as MailKind] as WriteMail<MailKind>
  try {
    return await writer(
      app,
      rows.map(({ facts }) => fromJson(facts) as MailFacts[MailKind]),
    )
  } catch (err) {
    log.error({ event: 'outbox.write_failed', kind, mail: rows[0].id, err }, 'internal error while writing an email')
    return { notBefore: nextAttemptAt(attempts + 1, clock.now()) }
  }
}

/** Records the attempt: sent, failed permanently, possibly sent, or due again later. */
async function record(app: App, rows: Rows, mail: WrittenMail, result: SendResult): Promise<void> {
  const { db, clock } = app
  const now = clock.now()
  const reason = result.reason ? toJson(result.reason) : null
  const attempt = { recipient: mail.to, subject: mail.subject, reply: result.reply, reason }
  const outcomes = rows.map((row) => outcomeOf(row, result, now))
  await transaction(db, async (trx) => {
    for (const [index, { id }] of rows.entries())
      await recordAttempt(trx, id, attempt, outcomes[index] ?? { notBefore: now })
    if (outcomes.some((one) => !('notBefore' in one)))
      await mail.record?.(trx, { result: finalResult(result), reply: answerOf(result) }, now)
  })
  logResult(app, rows[0], result, outcomes[0])
}

function finalResult({ kind }: SendResult): MailOutcome['result'] {
  if (kind === 'accepted') return 'sent'
  return kind === 'unknown' ? 'unknown' : 'refused'
}

/** An email without an answer may have arrived: after this number of attempts it is not sent again. */
const maxUnknownAttempts = 5

function outcomeOf({ attempts, expiresAt }: OutboxRow, { kind }: SendResult, now: Instant): AttemptResult {
  if (kind === 'accepted') return { sentAt: now }
  const notBefore = nextAttemptAt(attempts + 1, now)
  const isLast = notBefore >= expiresAt
  if (kind === 'unknown' && (isLast || attempts + 1 >= maxUnknownAttempts)) return { sentAt: now, failedAt: now }
  return kind === 'refused' || kind === 'unfit' || isLast ? { failedAt: now } : { notBefore }
}

/** Replies about subscribers are logged only up to the codes (`550 5.1.1`, RFC 3463): the rest may contain the address. */
const loggedReplyLength = 9

function logResult(
  { log }: App,
  row: OutboxRow,
  { kind: result, reply, reason }: SendResult,
  outcome?: AttemptResult,
): void {
  const { id, kind, attempts } = row
  const isPrivate = subscriberKinds.some((one) => one === kind) && result !== 'unsent'
  const safe = reason?.code ?? reply.slice(0, loggedReplyLength)
  const fields = { mail: id, kind, result, reply: isPrivate ? safe : reason ? describeReason(reason) : reply }
  if (!outcome || result === 'accepted') log.info({ event: 'outbox.sent', ...fields }, 'email sent')
  else if ('sentAt' in outcome) log.error({ event: 'outbox.unknown', ...fields }, 'an email may not have arrived')
  else if ('failedAt' in outcome) log.error({ event: 'outbox.failed', ...fields }, 'an email could not be sent')
  else {
    const { notBefore } = outcome
    log.warn({ event: 'outbox.retry', ...fields, attempts: attempts + 1, notBefore }, 'an email is tried again later')
  }
}
