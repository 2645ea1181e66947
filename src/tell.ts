import { type App, digestNamed } from './app.ts'
import { day, later } from './clock.ts'
import { editionName } from './editions/edition.ts'
import { noticeMail } from './messages/notice.ts'
import type { Sender } from './send.ts'
import { changeCanary, untoldCanaries } from './store/canaries.ts'
import { editionById, note, skippedUntold } from './store/editions.ts'
import type { CanaryRow, EditionRow } from './store/schema.ts'

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
    const result = await sender.relay.send(noticeFor(app, edition))
    if (result.kind === 'accepted') await note(db, edition.id, 'lastword', told, clock.now())
    else app.log.warn({ edition: edition.id, reply: result.reply }, 'the editors could not be told of a skipped run')
    if (result.kind === 'refused') await note(db, edition.id, 'lastword', told, clock.now())
  }
}

/** Tells the editors of every edition that a canary has paused; once the relay has taken the letter it is on record. */
export async function tellOfCanaries(app: App, sender: Sender): Promise<void> {
  const { db, clock } = app
  for (const canary of await untoldCanaries(db)) {
    const edition = await editionById(db, canary.editionId)
    if (!edition) continue
    const { kind, reply } = await sender.relay.send(noticeOfCanary(app, edition, canary))
    if (kind === 'accepted' || kind === 'unknown' || kind === 'refused')
      await changeCanary(db, canary, { toldAt: clock.now() })
    if (kind !== 'accepted') app.log.warn({ edition: edition.id, reply }, 'the editors could not be told of a canary')
  }
}

function noticeOfCanary(app: App, edition: EditionRow, canary: CanaryRow) {
  const lines = [
    `${editionName(edition)} is paused: nothing more of it goes out.`,
    '',
    canary.reason ?? '',
    '',
    `${canary.recipients} of its subscribers have their mail at ${canary.name}.`,
    'Look into it, then resume the edition, which sends the rest all the same, or cancel it:',
    `lastword edition resume ${edition.id}`,
    `lastword edition cancel ${edition.id}`,
    '',
    studioPage(app, edition),
  ]
  return letter(app, `Paused: ${editionName(edition)}`, lines)
}

function noticeFor(app: App, edition: EditionRow) {
  const digest = digestNamed(app.digests, edition.digest)
  const lines = [
    `${digest.title} was due at ${edition.dueAt} and was not made.`,
    '',
    edition.reason ?? 'No reason is on record.',
    '',
    'Its articles stay pending: the next edition may hold them.',
    studioPage(app, edition),
  ]
  return letter(app, `Skipped: ${editionName(edition)}`, lines)
}

function studioPage({ config }: App, edition: EditionRow): string {
  return `${config.web.url.replace(/\/+$/, '')}/studio/editions/${edition.id}`
}

function letter({ config, clock }: App, subject: string, lines: string[]) {
  const { contact, editors } = config.publication
  return noticeMail({
    from: contact,
    to: editors ?? contact,
    returnPath: config.relay.returnPath ?? contact,
    subject,
    text: `${lines.join('\n')}\n`,
    date: clock.now(),
  })
}
