import type { App } from '../../app.ts'
import { envelopeSender } from '../../config/config.ts'
import type { Relay } from '../../deliveries/relays/relay.ts'
import { editionName } from '../../editions/edition.ts'
import { plainMail } from '../../mail/plain-mail.ts'
import { addHistory, editionById } from '../../store/editions/editions.ts'
import { claimNotifications, recordNotified } from '../../store/notices/notifications.ts'
import type { EditionRow, NotificationRow } from '../../store/schema.ts'
import { addMs, day, minute } from '../../time/clock.ts'
import { addWaitingNotices, isStillNeeded, type NoticeText, replacedNotice, waitingNotice } from './waiting-edition.ts'

/** So long a call is made again when the relay does not take it: it may have something against all our letters. */
const retryForMs = 7 * day
const retryAfterMs = 5 * minute

/**
 * Sends the editors a mail about every edition that a rule has paused, that waits for approval or was replaced by a newer
 * one, and about every relay that is left alone: once for each, whatever the number of processes. A mail that the relay
 * does not take is tried again after five minutes. Returns how many were sent.
 */
export async function sendEditionNotices(app: App, relay: Pick<Relay, 'send'>): Promise<number> {
  const { db, clock, log } = app
  await addWaitingNotices(app)
  const now = clock.now()
  let sent = 0
  for (const call of await claimNotifications(db, {
    since: addMs(now, -retryForMs),
    now,
    until: addMs(now, retryAfterMs),
  })) {
    const edition = await editionById(db, call.editionId)
    if (!edition) continue
    if (!isStillNeeded(call, edition)) {
      await recordNotified(db, call.id, now)
      continue
    }
    const { kind, reply } = await relay.send(await editionNotice(app, edition, call))
    if (kind !== 'accepted' && kind !== 'unknown' && kind !== 'refused') {
      log.error({ edition: edition.id, reply }, 'the editors could not be called; it is tried again')
      continue
    }
    const historyText =
      kind === 'refused' ? `the editors could not be called (${reply})` : 'the editors were called by mail'
    await addHistory(db, edition.id, 'lastword', historyText, clock.now())
    await recordNotified(db, call.id, clock.now())
    sent += 1
  }
  return sent
}

async function editionNotice(app: App, edition: EditionRow, call: NotificationRow) {
  const { config, clock } = app
  const { name, contact, editors } = config.publication
  const { subject, lines } = await noticeText(app, edition, call)
  const link = `${config.web.url.replace(/\/+$/, '')}/studio/editions/${edition.id}`
  return plainMail({
    from: contact,
    to: editors ?? contact,
    returnPath: envelopeSender(config).address,
    subject: `${name}: ${subject}`,
    text: `${[...lines, link].join('\n')}\n`,
    date: clock.now(),
  })
}

async function noticeText(app: App, edition: EditionRow, call: NotificationRow): Promise<NoticeText> {
  switch (call.kind) {
    case 'waits':
    case 'reminder':
      return await waitingNotice(app, edition, call)
    case 'replaced':
      return replacedNotice(edition, call)
    case 'relay':
      return relayNotice(edition, call)
    case 'paused':
      return pauseNotice(edition, call)
  }
}

function pauseNotice(edition: EditionRow, { at, what }: NotificationRow) {
  const lines = [
    `${editionName(edition)} has stopped in the middle of its sending, on ${at}.`,
    '',
    `${what}.`,
    '',
    'Nobody is blamed for it, and nobody is lost: who has not got it is still queued. Find out what the mail servers have',
    'against us; then let it go on, or cancel it:',
  ]
  return { subject: `${editionName(edition)} is paused`, lines }
}

function relayNotice(edition: EditionRow, { at, what }: NotificationRow) {
  const lines = [
    `While ${editionName(edition)} was being sent, on ${at}, one of the mail servers that it goes by did not work:`,
    '',
    `${what}.`,
    '',
    'No subscriber was lost, and no address is suppressed for it. Check that mail server: lastword relay test says what it',
    'answers. It is tried again from time to time. The edition:',
  ]
  return { subject: 'a mail server takes no messages', lines }
}
