import { type Command, Option } from 'commander'
import type { App } from '../app.ts'
import { AppError } from '../errors.ts'
import { makeSignInLink } from '../pipeline/sign-in/sign-in-link.ts'
import type { SessionEndRow } from '../store/schema.ts'
import { removeStaff, saveStaffAddress, staffWithAddresses } from '../store/staff/addresses.ts'
import { endSessions, listStaff, sessionEnds } from '../store/staff/staff.ts'
import { addressKey, parseAddress } from '../subscribers/address.ts'
import { formatCount } from '../text/words.ts'
import { urls } from '../web/urls.ts'
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
        const link = await makeSignInLink(app, requireName(options.name))
        if (options.json) printJson({ name: options.name, link })
        else print(link)
      }),
    )
  addAddressCommands(staff)
  staff
    .command('list')
    .description('list staff with an address, sessions, unused sign-in links and ended sessions')
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

/** `staff add` and `staff remove`. */
function addAddressCommands(staff: Command): void {
  staff
    .command('add')
    .description('let an editor sign in by email: the sign-in page sends them a link')
    .argument('<name>', 'recorded with what they do')
    .requiredOption('--email <address>', 'replaces an earlier address of this person')
    .action((name: string, options: { email: string }, command: Command) =>
      withAppWithoutJobs(command, (app) => add(app, requireName(name), options.email)),
    )
  staff
    .command('remove')
    .description('remove the address of a person, and end their sessions and unused sign-in links')
    .argument('<name>')
    .option('--who <name>', 'who removes it, for the record', 'operator')
    .action((name: string, { who }: { who: string }, command: Command) =>
      withAppWithoutJobs(command, (app) => remove(app, name, who)),
    )
}

async function add({ db, clock, config }: App, name: string, text: string): Promise<void> {
  const email = parseAddress(text)
  if (email === undefined) throw new AppError('invalid', `"${sanitizeLine(text)}" is not an email address`)
  const row = { name, email, emailKey: addressKey(email), addedAt: clock.now() }
  const owner = await saveStaffAddress(db, row)
  if (owner !== undefined)
    throw new AppError('conflict', `${email} is already the address of ${sanitizeLine(owner)}`, {
      hint: `To give it to ${sanitizeLine(name)}: lastword staff remove "${sanitizeLine(owner)}"`,
    })
  print(`${sanitizeLine(name)} can sign in by email: ${config.web.url}${urls.signInRequest}`)
}

async function remove({ db, clock }: App, name: string, who: string): Promise<void> {
  if (!(await removeStaff(db, name, who, clock.now())))
    throw new AppError('missing', `nobody named "${sanitizeLine(name)}" has an address`, {
      hint: 'lastword staff list shows them; lastword staff end NAME ends sessions.',
    })
  print(`${sanitizeLine(name)} can no longer sign in by email, and is signed out everywhere.`)
}

/** A name as it is recorded. AppError `invalid` for an empty one. */
function requireName(text: string): string {
  const name = sanitizeLine(text).trim()
  if (name !== '') return name
  throw new AppError('invalid', 'the name is empty', {
    hint: 'It is recorded with what the person does: use a real name.',
  })
}

async function list({ db, clock }: App, { json }: { json?: boolean }): Promise<void> {
  const { sessions, links } = await listStaff(db, clock.now())
  const people = (await staffWithAddresses(db)).map(({ name, email, addedAt }) => ({ name, email, addedAt }))
  const ends = await sessionEnds(db, maxSessionEnds)
  if (json) {
    printJson({
      people,
      sessions: sessions.map(({ hash, ...session }) => session),
      links,
      ended: ends.map(({ id, ...one }) => one),
    })
    return
  }
  for (const { name, email } of people) print(`${sanitizeLine(name)} signs in by email: ${sanitizeLine(email)}`)
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
