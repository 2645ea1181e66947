import type { Command } from 'commander'
import { type App, digestNamesText, requireDigest, requireDigestName } from '../app.ts'
import { describeReason, reasonWithText } from '../describe/describe.ts'
import type { Digest } from '../editions/digest.ts'
import { AppError } from '../errors.ts'
import { listSubscribers, type SubscriberListing } from '../store/subscribers/subscribers.ts'
import { unsuppress } from '../subscribers/suppress.ts'
import { addMapping, type ImportOptions, importFile, statusMeanings } from './subscribers/import.ts'
import { print, printJson, sanitizeLine } from './terminal/output.ts'
import { whoOption } from './terminal/who-option.ts'
import { withApp } from './with-app.ts'

type Options = { digest?: string; json?: boolean }

export function addSubscribersCommands(program: Command): void {
  const subscribers = program.command('subscribers').description('import, list and release subscribers')
  subscribers
    .command('import')
    .description(
      'import a CSV file with the columns email, name, zone, a status, and others as attributes; people who left are not subscribed',
    )
    .argument('<file>', 'the CSV file')
    .option('--digest <name>', 'the digest to subscribe them to; not needed if there is only one')
    .option(
      '--map <state=meaning>',
      `the meaning of a state in the file: ${statusMeanings.join(', ')}; can be repeated`,
      addMapping,
      new Map(),
    )
    .option('--ignore-status', 'import everyone as active, even people who left')
    .option('--dry-run', 'print what would happen, and change nothing')
    .option('--json', 'as JSON')
    .action((file: string, options: ImportOptions, command: Command) =>
      withApp(command, (app) => importFile(app, namedOrOnlyDigest(app, options.digest), file, options)),
    )
  subscribers
    .command('release')
    .description('send mail again to suppressed addresses; people who left stay unsubscribed')
    .argument('<address...>', 'as printed by subscribers list')
    .option(...whoOption)
    .option('--reason <text>', 'why; shown in the history', '')
    .action((addresses: string[], decision: { who: string; reason: string }, command: Command) =>
      withApp(command, async (app) => {
        for (const address of addresses) {
          const { email, suppressedAt, suppressedReason } = await unsuppress(app, address, decision)
          const why = suppressedReason ? describeReason(suppressedReason) : ''
          print(`${email} is released; it was suppressed on ${suppressedAt}: ${sanitizeLine(why)}`)
        }
      }),
    )
  subscribers
    .command('list')
    .description('list subscribers and their status')
    .option('--digest <name>', 'only those of this digest')
    .option('--json', 'one JSON line for each subscriber')
    .action((options: Options, command: Command) => withApp(command, (app) => list(app, options)))
}

async function list(app: App, options: Options): Promise<void> {
  const { db } = app
  const digest = options.digest === undefined ? undefined : requireDigestName(app, options.digest)
  for (let after: SubscriberListing | undefined; ; ) {
    const page = await listSubscribers(db, { digest, after, limit: 500 })
    for (const person of page) options.json ? printJson(toJson(person)) : print(toText(person))
    after = page.at(-1)
    if (!after) return
  }
}

function toJson(person: SubscriberListing) {
  const { id, email, name, digest } = person
  return {
    id,
    email,
    name,
    digest,
    status: statusOf(person),
    suppressedReason: person.suppressedReason && reasonWithText(person.suppressedReason),
    zone: person.zone,
    attributes: JSON.parse(person.attributes),
    leftAt: person.leftAt,
  }
}

function toText(person: SubscriberListing): string {
  const why = person.suppressedReason ? `: ${sanitizeLine(describeReason(person.suppressedReason))}` : ''
  return `${person.email}\t${sanitizeLine(person.name)}\t${person.digest}\t${statusOf(person)}${why}`
}

function statusOf(person: SubscriberListing): string {
  if (person.suppressedAt) return 'suppressed'
  if (person.leftAt) return 'left'
  return person.confirmedAt ? 'active' : 'pending'
}

/** The digest with this name, or the only one, counting job files with errors. */
export function namedOrOnlyDigest(app: App, name: string | undefined): Digest {
  if (name !== undefined) return requireDigest(app, name)
  const names = new Set(
    [...app.digests, ...app.rejected.map(({ digest }) => ({ name: digest }))].map((one) => one.name),
  )
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return requireDigest(app, only)
  throw new AppError('invalid', 'which digest?', { hint: `Add --digest with one of: ${digestNamesText(app)}.` })
}
