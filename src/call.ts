import type { App } from './app.ts'
import { day, later, minute } from './clock.ts'
import { envelopeSender } from './config.ts'
import type { Relay } from './deliveries/relay.ts'
import { editionName } from './editions/edition.ts'
import { noticeMail } from './messages/notice.ts'
import { recordCalled, takeCalls } from './store/calls.ts'
import { editionById, note } from './store/editions.ts'
import type { CallRow, EditionRow } from './store/schema.ts'

/** So long a call is made again when the relay does not take it: it may have something against all our letters. */
const memory = 7 * day
const again = 5 * minute

/**
 * Calls the editors by mail to every edition that a rule has paused, and to every relay that is left alone: once for each,
 * whatever the number of processes. A letter that the relay does not take is tried again after five minutes. Returns how many calls were made.
 */
export async function callEditors(app: App, relay: Pick<Relay, 'send'>): Promise<number> {
  const { db, clock, log } = app
  const now = clock.now()
  let made = 0
  for (const call of await takeCalls(db, { since: later(now, -memory), now, until: later(now, again) })) {
    const edition = await editionById(db, call.editionId)
    if (!edition) continue
    const { kind, reply } = await relay.send(letterAbout(app, edition, call))
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

function letterAbout({ config, clock }: App, edition: EditionRow, call: CallRow) {
  const { name, contact, editors } = config.publication
  const { subject, lines } = call.kind === 'relay' ? relayNotice(edition, call) : pauseNotice(edition, call)
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
