import type { Command } from 'commander'
import { type App, digestNamed } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { AppError } from '../errors.ts'
import { type Listed, listSubscribers } from '../store/subscribers.ts'
import { importSubscribers } from '../subscribers/import.ts'
import { release } from '../subscribers/suppress.ts'
import { print, printJson, safe, tell } from './output.ts'
import { withApp } from './with-app.ts'

type Options = { digest?: string; json?: boolean }

export function addSubscribersCommands(program: Command): void {
  const subscribers = program.command('subscribers').description('who gets the digests')
  subscribers
    .command('import')
    .description('import a CSV file: columns email, name, zone, and any others as attributes')
    .argument('<file>', 'the CSV file')
    .option('--digest <name>', 'the digest that they subscribe to; not needed if there is only one')
    .option('--json', 'as JSON')
    .action((file: string, options: Options, command: Command) =>
      withApp(command, (app) => importFile(app, file, options)),
    )
  subscribers
    .command('release')
    .description('send mail again to people whose address was suppressed; who left stays left')
    .argument('<address...>', 'as subscribers list prints them')
    .option('--who <name>', 'stands on record', 'operator')
    .option('--reason <words>', 'stands on record', '')
    .action((addresses: string[], decision: { who: string; reason: string }, command: Command) =>
      withApp(command, async (app) => {
        for (const address of addresses) {
          const { email, suppressedAt, suppressedReason } = await release(app, address, decision)
          print(`${email} is released; suppressed since ${suppressedAt}: ${safe(suppressedReason ?? '')}`)
        }
      }),
    )
  subscribers
    .command('list')
    .description('print subscribers and whether they get the digest')
    .option('--digest <name>', 'only those of this digest')
    .option('--json', 'one JSON line a subscriber')
    .action((options: Options, command: Command) => withApp(command, (app) => list(app, options)))
}

async function importFile(app: App, file: string, options: Options): Promise<void> {
  const digest = digestOrOnly(app.digests, options.digest)
  const report = await importSubscribers(app, file, digest.name)
  if (options.json) return printJson(report)
  for (const { line, problem } of report.problems) tell(`${file}:${line}: ${safe(problem)}`)
  if (report.problemCount > report.problems.length) tell(`… and ${report.problemCount - report.problems.length} more`)
  for (const { line, problem } of report.zoneProblems) tell(`${file}:${line}: ${safe(problem)}`)
  const zonesMore = report.zoneProblemCount - report.zoneProblems.length
  if (zonesMore > 0) tell(`… and ${zonesMore} more without a zone`)
  if (report.encoding !== 'utf-8')
    tell(`${file} is not UTF-8: it was read as ${report.encoding}. Check a name with an accent.`)
  const { rows, added, known, suppressed, problemCount } = report
  const silent = suppressed > 0 ? `${suppressed} suppressed, who get nothing, ` : ''
  print(`${rows} rows: ${added} added to ${digest.name}, ${known} known already, ${silent}${problemCount} left out`)
}

async function list({ db, digests }: App, options: Options): Promise<void> {
  const digest = options.digest === undefined ? undefined : digestNamed(digests, options.digest).name
  for (let after: Listed | undefined; ; ) {
    const page = await listSubscribers(db, { digest, after, limit: 500 })
    for (const person of page) options.json ? printJson(toJson(person)) : print(toText(person))
    after = page.at(-1)
    if (!after) return
  }
}

function toJson(person: Listed) {
  const { id, email, name, digest } = person
  return {
    id,
    email,
    name,
    digest,
    status: statusOf(person),
    zone: person.zone,
    attributes: JSON.parse(person.attributes),
    leftAt: person.leftAt,
  }
}

function toText(person: Listed): string {
  return `${person.email}\t${safe(person.name)}\t${person.digest}\t${statusOf(person)}`
}

function statusOf(person: Listed): string {
  if (person.suppressedAt) return `suppressed: ${person.suppressedReason ?? ''}`
  if (person.leftAt) return 'left'
  return person.confirmedAt ? 'active' : 'pending'
}

export function digestOrOnly(digests: Digest[], name: string | undefined): Digest {
  if (name !== undefined) return digestNamed(digests, name)
  const [only, ...others] = digests
  if (only && others.length === 0) return only
  const known = digests.map((digest) => digest.name).join(', ') || 'none'
  throw new AppError('invalid', 'which digest?', { hint: `Say --digest and one of: ${known}.` })
}
