import type { App } from '../../app.ts'
import { envelopeSender } from '../../config/config.ts'
import type { Relay } from '../../deliveries/relays/relay.ts'
import { editionName } from '../../editions/edition.ts'
import { clockFaultText } from '../../editions/schedule/decided-runs.ts'
import { plainMail } from '../../mail/plain-mail.ts'
import { claimClockFaults, futureEditions, recordFaultsNotified } from '../../store/digests/clock-faults.ts'
import type { ClockFaultRow } from '../../store/schema.ts'
import { addMs, minute } from '../../time/clock.ts'

/** Who took it on to tell, and died over it, leaves it to others after this. */
const leaseMs = 5 * minute

/**
 * Tells the editors, in one mail, that the clock of the machine was ahead, what became of the runs that it skipped, and
 * which editions it made: once for each fault, whatever the number of processes. A mail that the relay does not take is
 * tried again after five minutes. Returns of how many faults it told.
 */
export async function sendClockNotice(app: App, relay: Pick<Relay, 'send'>): Promise<number> {
  const { db, clock, log } = app
  const faults = await claimClockFaults(db, { now: clock.now(), until: addMs(clock.now(), leaseMs) })
  if (faults.length === 0) return 0
  const { kind, reply } = await relay.send(await clockNotice(app, faults))
  if (kind !== 'accepted' && kind !== 'unknown' && kind !== 'refused') {
    log.error({ event: 'clock.notice_failed', reply }, 'the editors could not be told of the clock; it is tried again')
    return 0
  }
  await recordFaultsNotified(
    db,
    faults.map(({ id }) => id),
    clock.now(),
  )
  log.info({ event: 'clock.notice_sent', reply, kind }, 'the editors were told of the clock')
  return faults.length
}

async function clockNotice(app: App, faults: ClockFaultRow[]) {
  const { config, clock } = app
  const { name, contact, editors } = config.publication
  const lines: string[] = []
  for (const fault of faults) lines.push(...(await faultLines(app, fault)), '')
  lines.push('Nothing was sent twice. Please check that the machine sets its clock by a time server (NTP).')
  return plainMail({
    from: contact,
    to: editors ?? contact,
    returnPath: envelopeSender(config).address,
    subject: `${name}: the clock of the machine was wrong`,
    text: `${lines.join('\n')}\n`,
    date: clock.now(),
  })
}

async function faultLines({ db, clock, config }: App, fault: ClockFaultRow): Promise<string[]> {
  const skipped: { dueAt: string }[] = JSON.parse(fault.reopened)
  const made = await futureEditions(db, fault.digest, clock.now())
  const [first, last] = [skipped[0], skipped.at(-1)]
  const runs =
    first && last && `Skipped by it, and open again: ${skipped.length} runs, due from ${first.dueAt} to ${last.dueAt}.`
  return [
    `${clockFaultText(fault)}.`,
    ...(runs ? [runs] : []),
    ...made.map(
      (edition) =>
        `Made by it: ${editionName(edition)}, due ${edition.dueAt}. Cancel it if it is not wanted: ${config.web.url.replace(/\/+$/, '')}/studio/editions/${edition.id}`,
    ),
  ]
}
