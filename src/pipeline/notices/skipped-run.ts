import { type App, requireDigest } from '../../app.ts'
import { envelopeSender } from '../../config/config.ts'
import type { Relay } from '../../deliveries/relays/relay.ts'
import { editionName } from '../../editions/edition.ts'
import { plainMail } from '../../mail/plain-mail.ts'
import { addHistory } from '../../store/editions/editions.ts'
import {
  claimSkipNotice,
  recordSkipNotice,
  releaseSkipNotice,
  skipsToNotify,
} from '../../store/notices/skip-notices.ts'
import type { EditionRow } from '../../store/schema.ts'
import { addMs, day, minute } from '../../time/clock.ts'

const noticePeriodMs = 7 * day
/** A process that dies while it tells the editors leaves it to others after this. */
const leaseMs = 5 * minute

/**
 * Tells the editors of every skipped run, where the digest wants it: once, whatever the number of processes. A notice
 * that the relay does not take is tried again at the next look, for a week.
 */
export async function sendSkippedRunNotices(app: App, sender: { relays: Pick<Relay, 'send'> }): Promise<void> {
  const { db, clock, digests, log } = app
  const names = digests.filter((digest) => digest.thin.notify).map((digest) => digest.name)
  for (const edition of await skipsToNotify(db, names, addMs(clock.now(), -noticePeriodMs))) {
    if (!(await claimSkipNotice(db, edition.id, clock.now(), addMs(clock.now(), leaseMs)))) continue
    const { kind, reply } = await sender.relays.send(skippedRunNotice(app, edition))
    if (kind !== 'accepted' && kind !== 'unknown' && kind !== 'refused') {
      log.warn({ edition: edition.id, reply }, 'the editors could not be told of a skipped run; it is tried again')
      await releaseSkipNotice(db, edition.id, clock.now())
      continue
    }
    const what = kind === 'refused' ? `the notice of the skip was refused: ${reply}` : 'told of the skip by mail'
    await addHistory(db, edition.id, 'lastword', what, clock.now())
    await recordSkipNotice(db, edition.id, clock.now())
  }
}

function skippedRunNotice(app: App, edition: EditionRow) {
  const { config, clock } = app
  const digest = requireDigest(app, edition.digest)
  const lines = [
    `${digest.title} was due at ${edition.dueAt} and was not made.`,
    '',
    edition.reason ?? 'No reason is on record.',
    '',
    'Its articles stay pending: the next edition may hold them.',
    `${config.web.url.replace(/\/+$/, '')}/studio/editions/${edition.id}`,
  ]
  const { contact, editors } = config.publication
  return plainMail({
    from: contact,
    to: editors ?? contact,
    returnPath: envelopeSender(config).address,
    subject: `Skipped: ${editionName(edition)}`,
    text: `${lines.join('\n')}\n`,
    date: clock.now(),
  })
}
