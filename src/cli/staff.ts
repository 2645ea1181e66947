import { type Command, Option } from 'commander'
import type { App } from '../app.ts'
import { AppError } from '../errors.ts'
import type { SessionEndRow } from '../store/schema.ts'
import { endSessions, listStaff, sessionEnds } from '../store/staff/staff.ts'
import { formatCount } from '../text/words.ts'
import { makeSignInLink } from '../web/sign-in.ts'
import { formatTable, print, printJson, sanitizeLine } from './terminal/output.ts'
import { withAppWithoutJobs } from './with-app.ts'

const maxSessionEnds = 20

export function addStaffCommands(program: Command): void {
  const staff = program.command('staff').description('manage sign-in links and sessions')
  staff
    .command('link')
    .description('print a link that signs an editor in once, valid for 30 minutes')
    .option('--name <name>', 'who it is for; recorded with what they do', 'editor')
    .option('--json', 'as JSON')
    .action((options: { name: string; json?: boolean }, command: Command) =>
      withAppWithoutJobs(command, async (app) => {
        const link = await makeSignInLink(app, options.name)
        if (options.json) printJson({ name: options.name, link })
        else print(link)
      }),
    )
  staff
    .command('list')
    .description('list sessions, unused sign-in links and ended sessions')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }, command: Command) => withAppWithoutJobs(command, (app) => list(app, options)))
  staff
    .command('end [name]')
    .description('end all sessions and unused sign-in links of a person at once')
    .addOption(new Option('--all', 'of all people'))
    .option('--who <name>', 'who ends them, for the record', 'operator')
    .option('--json', 'as JSON')
    .action((name: string | undefined, options: EndOptions, command: Command) =>
      withAppWithoutJobs(command, (app) => end(app, name, options)),
    )
}

async function list({ db, clock }: App, { json }: { json?: boolean }): Promise<void> {
  const { sessions, links } = await listStaff(db, clock.now())
  const ends = await sessionEnds(db, maxSessionEnds)
  if (json) {
    printJson({
      sessions: sessions.map(({ hash, ...session }) => session),
      links,
      ended: ends.map(({ id, ...one }) => one),
    })
    return
  }
  const rows = [
    ...sessions.map((one) => [
      sanitizeLine(one.staff),
      `signed in since ${shortTime(one.createdAt)}`,
      `last used ${shortTime(one.lastUsedAt)}`,
      `ends ${shortTime(one.expiresAt)}`,
    ]),
    ...links.map((one) => [
      sanitizeLine(one.staff),
      `link made ${shortTime(one.createdAt)}`,
      'not used yet',
      `ends ${shortTime(one.expiresAt)}`,
    ]),
  ]
  print(
    rows.length > 0
      ? formatTable(rows)
      : 'Nobody is signed in, and there are no unused sign-in links. Make one with: lastword staff link',
  )
  for (const one of ends) print(`${shortTime(one.at)}: ${endText(one)}`)
}

type EndOptions = { all?: boolean; who: string; json?: boolean }

async function end({ db, clock, log }: App, staff: string | undefined, { all, who, json }: EndOptions): Promise<void> {
  if ((staff === undefined) !== (all === true))
    throw new AppError('invalid', 'whose sessions should end? Give a name, or --all', {
      hint: 'Names: lastword staff list',
    })
  const ended = await endSessions(db, { staff, endedBy: who, now: clock.now() })
  for (const { staff, sessions, links } of ended)
    log.info({ event: 'staff.sessions_ended', staff, by: who, sessions, links }, 'sessions were ended')
  if (json) printJson(ended.map(({ id, ...one }) => one))
  else if (ended.length > 0) for (const one of ended) print(endText(one))
  else
    print(
      `Nothing to end: ${staff === undefined ? 'nobody' : `nobody named "${staff}"`} is signed in or has an unused link.`,
    )
}

function endText({ staff, endedBy, sessions, links }: SessionEndRow): string {
  return `${sanitizeLine(endedBy)} ended ${formatCount(sessions, 'session')} and ${formatCount(links, 'unused link')} of ${sanitizeLine(staff)}`
}

/** `2026-11-27 09:00 UTC` */
function shortTime(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`
}
