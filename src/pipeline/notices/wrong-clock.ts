import type { App } from '../../app.ts'
import { editionName } from '../../editions/edition.ts'
import { clockFaultsByIds, futureEditions } from '../../store/digests/clock-faults.ts'
import type { ClockFaultRow } from '../../store/schema.ts'
import { formatCount } from '../../text/words.ts'
import { momentText } from '../../time/moment.ts'
import type { WriteMail } from '../written-mail.ts'
import { editionLink, editorsMail } from './editors-mail.ts'

/** Tells the editors that the server clock was ahead, which runs were skipped, and which editions were made too early. */
export const writeClockNotice: WriteMail<'wrong-clock'> = async (app, facts) => {
  const faults = await clockFaultsByIds(
    app.db,
    facts.map(({ fault }) => fault),
  )
  if (faults.length === 0) return undefined
  const lines: string[] = []
  for (const fault of faults) lines.push(...(await faultLines(app, fault)), '')
  lines.push('Nothing was sent twice. Please check that the server sets its clock from a time server (NTP).')
  return editorsMail(app.config, { subject: "the server's clock was wrong", lines })
}

async function faultLines({ db, clock, config, digests }: App, fault: ClockFaultRow): Promise<string[]> {
  const moment = momentText(digests.find(({ name }) => name === fault.digest)?.zone)
  const skipped: { dueAt: string }[] = JSON.parse(fault.reopened)
  const [first, last] = [skipped[0], skipped.at(-1)]
  const made = await futureEditions(db, fault.digest, clock.now())
  const wasAhead = `The server's clock was ahead, so Lastword took the runs of ${fault.digest} until ${moment(fault.aheadUntil)} for done.`
  return [
    `${wasAhead} They are scheduled again, and each is made when it is due.`,
    ...(first && last
      ? [
          `Skipped by mistake: ${formatCount(skipped.length, 'run')}, due from ${moment(first.dueAt)} to ${moment(last.dueAt)}.`,
        ]
      : []),
    ...made.map(
      (edition) =>
        `Made too early: ${editionName(edition)}, due ${moment(edition.dueAt)}. Cancel it if you do not want it: ${editionLink(config.web, edition.id)}`,
    ),
  ]
}
