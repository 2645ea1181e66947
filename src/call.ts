import type { App } from './app.ts'
import { day, later, minute } from './clock.ts'
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
 * Calls the editors by mail to every edition that a rule has paused: once for each pause, whatever the number of
 * processes. A letter that the relay does not take is tried again after five minutes. Returns how many calls were made.
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

function letterAbout({ config, clock }: App, edition: EditionRow, { at, what }: CallRow) {
  const { name, contact, editors } = config.publication
  const lines = [
    `${editionName(edition)} has stopped in the middle of its sending, on ${at}.`,
    '',
    `${what}.`,
    '',
    'Nobody is blamed for it, and nobody is lost: who has not got it is still queued. Find out what the mail servers have',
    'against us; then let it go on, or cancel it:',
    `${config.web.url.replace(/\/+$/, '')}/studio/editions/${edition.id}`,
  ]
  return noticeMail({
    from: contact,
    to: editors ?? contact,
    returnPath: config.relay.returnPath ?? contact,
    subject: `${name}: ${editionName(edition)} is paused`,
    text: `${lines.join('\n')}\n`,
    date: clock.now(),
  })
}
