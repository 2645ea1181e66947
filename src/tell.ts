import { type App, digestNamed } from './app.ts'
import { day, later } from './clock.ts'
import { editionName } from './editions/edition.ts'
import { noticeMail } from './messages/notice.ts'
import type { Sender } from './send.ts'
import { note, skippedUntold } from './store/editions.ts'
import type { EditionRow } from './store/schema.ts'

/** What stands in the history of an edition once its skip has been told; it is looked for. */
const told = 'told of the skip by mail'
const memory = 7 * day

/**
 * Tells the editors of every run that was skipped, where the digest wants it. It is on record once the relay
 * has taken the mail: one that could not be sent is tried again at the next look, for a week.
 */
export async function tellOfSkips(app: App, sender: Sender): Promise<void> {
  const { db, clock, digests } = app
  const names = digests.filter((digest) => digest.thin.notify).map((digest) => digest.name)
  for (const edition of await skippedUntold(db, names, told, later(clock.now(), -memory))) {
    const result = await sender.relays.send(noticeFor(app, edition))
    if (result.kind === 'accepted') await note(db, edition.id, 'lastword', told, clock.now())
    else app.log.warn({ edition: edition.id, reply: result.reply }, 'the editors could not be told of a skipped run')
    if (result.kind === 'refused') await note(db, edition.id, 'lastword', told, clock.now())
  }
}

function noticeFor({ config, digests, clock }: App, edition: EditionRow) {
  const digest = digestNamed(digests, edition.digest)
  const lines = [
    `${digest.title} was due at ${edition.dueAt} and was not made.`,
    '',
    edition.reason ?? 'No reason is on record.',
    '',
    'Its articles stay pending: the next edition may hold them.',
    `${config.web.url.replace(/\/+$/, '')}/studio/editions/${edition.id}`,
  ]
  const { contact, editors } = config.publication
  return noticeMail({
    from: contact,
    to: editors ?? contact,
    returnPath: config.relay.returnPath ?? contact,
    subject: `Skipped: ${editionName(edition)}`,
    text: `${lines.join('\n')}\n`,
    date: clock.now(),
  })
}
