import type { App } from './app.ts'
import { day, later, minute } from './clock.ts'
import { envelopeSender } from './config.ts'
import type { Relay } from './deliveries/relay.ts'
import { editionName } from './editions/edition.ts'
import { noticeMail } from './messages/notice.ts'
import { recordCalled, takeCalls } from './store/calls.ts'
import { editionById, note } from './store/editions.ts'
import type { CallRow, EditionRow } from './store/schema.ts'
import { isOfUse, type NoticeText, noteWaitingEditions, replacedText, waitingText } from './waiting-notice.ts'

/** So long a call is made again when the relay does not take it: it may have something against all our letters. */
const memory = 7 * day
const again = 5 * minute

/**
 * Sends the editors a mail about every edition that a rule has paused, that waits for approval or was replaced by a newer
 * one, and about every relay that is left alone: once for each, whatever the number of processes. A mail that the relay
 * does not take is tried again after five minutes. Returns how many were sent.
 */
export async function callEditors(app: App, relay: Pick<Relay, 'send'>): Promise<number> {
  const { db, clock, log } = app
  await noteWaitingEditions(app)
  const now = clock.now()
  let made = 0
  for (const call of await takeCalls(db, { since: later(now, -memory), now, until: later(now, again) })) {
    const edition = await editionById(db, call.editionId)
    if (!edition) continue
    if (!isOfUse(call, edition)) {
      await recordCalled(db, call.id, now)
      continue
    }
    const { kind, reply } = await relay.send(await noticeAbout(app, edition, call))
    if (kind !== 'accepted' && kind !== 'unknown' && kind !== 'refused') {
      log.error({ edition: edition.id, reply }, 'the editors could not be called; it is tried again')
      continue
    }
    const told = kind === 'refused' ? `the editors could not be called (${reply})` : 'the editors were called by mail'
    await note(db, edition.id, 'lastword', told, clock.now())
    await recordCalled(db, call.id, clock.now())
    made += 1
  }
  return made
}

async function noticeAbout(app: App, edition: EditionRow, call: CallRow) {
  const { config, clock } = app
  const { name, contact, editors } = config.publication
  const { subject, lines } = await textOf(app, edition, call)
  const link = `${config.web.url.replace(/\/+$/, '')}/studio/editions/${edition.id}`
  return noticeMail({
    from: contact,
    to: editors ?? contact,
    returnPath: envelopeSender(config).address,
    subject: `${name}: ${subject}`,
    text: `${[...lines, link].join('\n')}\n`,
    date: clock.now(),
  })
}

async function textOf(app: App, edition: EditionRow, call: CallRow): Promise<NoticeText> {
  switch (call.kind) {
    case 'waits':
    case 'reminder':
      return await waitingText(app, edition, call)
    case 'replaced':
      return replacedText(edition, call)
    case 'relay':
      return relayNotice(edition, call)
    case 'paused':
      return pauseNotice(edition, call)
  }
}

function pauseNotice(edition: EditionRow, { at, what }: CallRow) {
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

function relayNotice(edition: EditionRow, { at, what }: CallRow) {
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
