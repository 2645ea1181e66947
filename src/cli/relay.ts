import type { Command } from 'commander'
import { stringify } from 'yaml'
import { type Config, readProcessConfig, relayName, relaysOf } from '../config/config.ts'
import { describeReason } from '../describe/describe.ts'
import { AppError, messageOf } from '../errors.ts'
import { causeOf } from '../mail/reply-rules/answers.ts'
import { causes } from '../mail/reply-rules/cause.ts'
import { oneLine } from '../mail/reply-rules/reply-text.ts'
import { checkRelay, type RelayCheck } from '../mail/smtp/check-relay.ts'
import type { Change } from '../mail/smtp/connect-error.ts'
import type { RelaySettings } from '../mail/smtp/relay-settings.ts'
import { envelopeFor, lastMessage } from '../pipeline/check-relays.ts'
import { loadSecret } from '../store/system/settings.ts'
import { print, printJson, printStderr, sanitizeLine } from './terminal/output.ts'
import { configFile, openStoreFor } from './with-app.ts'

export function addRelayCommands(program: Command): void {
  const relay = program.command('relay').description('test the SMTP servers that send the messages')
  relay
    .command('judge')
    .description('say how Lastword would classify an SMTP reply, and what follows')
    .argument('<reply>', 'the reply of the server, such as "550 5.1.1 User unknown"')
    .option('--json', 'as JSON')
    .action((reply: string, { json }: { json?: boolean }) => {
      const judged = classifyReply(reply.trim())
      if (json) printJson(judged)
      else print(judged.text.join('\n'))
    })
  relay
    .command('test')
    .description('test a relay as for sending, and print the dialogue and recommended settings; nothing is sent')
    .argument('[name]', 'the name of one relay; all if absent')
    .option('--json', 'one JSON line for each relay; the dialogue goes to stderr')
    .action((name: string | undefined, options: { json?: boolean }, command: Command) =>
      testRelays(command, name, options),
    )
}

const consequences = {
  address: 'refused, and not retried for this edition',
  us: 'deferred; many such replies pause the edition',
  nobody: 'refused, and not retried for this edition',
}

const suppressions = {
  'at once': '; the person is suppressed at once',
  'second time': '; the person is suppressed if the next edition is refused too',
  never: '',
}

type ReplyClassification = { cause: string; suppresses: string; advice: string | null; text: string[] }

function classifyReply(reply: string): ReplyClassification {
  if (!/^[245]\d\d(?:[ -]|$)/.test(reply))
    throw new AppError(
      'invalid',
      `"${sanitizeLine(reply)}" is no SMTP reply: a reply begins with a code of three digits`,
      {
        hint: 'For example: lastword relay judge "550 5.1.1 User unknown"',
      },
    )
  const cause = causeOf(oneLine(reply))
  const { about, suppresses, advice } = causes[cause]
  if (/^4\d\d\b/.test(reply))
    return {
      cause: 'temporary',
      suppresses: 'never',
      advice: null,
      text: ['temporary: deferred, and retried later'],
    }
  const text = [
    `${cause}: ${describeReason({ code: 'refused', cause, reply: null })}`,
    consequences[about] + suppressions[suppresses],
  ]
  return { cause, suppresses, advice: advice ?? null, text: advice === undefined ? text : [...text, advice] }
}

async function testRelays(command: Command, name: string | undefined, { json }: { json?: boolean }): Promise<void> {
  const config = readProcessConfig(configFile(command))
  const all = relaysOf(config)
  const wanted = name === undefined ? all : all.filter((one) => relayName(one) === name)
  if (wanted.length === 0)
    throw new AppError('missing', `there is no relay "${name}"`, {
      hint: `Relays: ${all.map(relayName).join(', ')}.`,
    })
  await using store = await openStoreForTest(command, config, wanted)
  const sample = store.db && (await lastMessage(store.db, config))
  const writeLine = json ? printStderr : print
  const problems: string[] = []
  const changes: SettingChanges = { relay: {}, relays: [] }
  for (const one of wanted) {
    if (all.length > 1) writeLine(`${relayName(one)}:`)
    const listener = (who: 'client' | 'server', line: string) =>
      writeLine(`${who === 'client' ? '>' : '<'} ${sanitizeLine(line)}`)
    const envelope = envelopeFor(config, one, sample)
    const check = await checkRelay(one, { envelope, connections: one.connections, tokenStore: store.tokens, listener })
    if (json)
      printJson({ relay: relayName(one), host: one.host, port: one.port, ...check, problem: check.problem ?? null })
    else printResult(one, check)
    if (check.problem !== undefined) problems.push(problemText(one, check))
    collectChanges(changes, one === config.relay ? undefined : relayName(one), check)
  }
  if (!json) printChanges(changes)
  if (problems.length === 0) return
  throw new AppError('unavailable', problems.join('; '), {
    hint: 'The settings are those of relay or relays in lastword.yml; lastword config prints them.',
  })
}

function problemText({ host, port }: RelaySettings, { problem, isAsked }: RelayCheck): string {
  const where = `${host}:${port}`
  return isAsked ? `${where} refuses us: ${problem}` : `cannot sign in to ${where}: ${problem}`
}

/**
 * The store has the size of the last edition, and refresh tokens. Without it a relay can be tested, unless it may issue a
 * new refresh token, which would be lost.
 */
async function openStoreForTest(command: Command, config: Config, relays: RelaySettings[]) {
  try {
    const opened = await openStoreFor(command, config)
    const secret = config.web.secret ?? (await loadSecret(opened.db))
    return { db: opened.db, tokens: { db: opened.db, secret }, [Symbol.asyncDispose]: () => opened.close() }
  } catch (error) {
    if (relays.some(({ oauth2 }) => oauth2?.refreshToken ?? oauth2?.refreshTokenFile)) throw error
    printStderr(`the database cannot be opened, so the size of the last edition is not checked: ${messageOf(error)}`)
    return { db: undefined, tokens: undefined, [Symbol.asyncDispose]: async () => {} }
  }
}

function printResult({ host, port, security }: RelaySettings, { problem, remarks }: RelayCheck): void {
  const where = `${host}:${port}`
  const encryption = security === 'none' ? ', over a connection that is not encrypted' : ''
  if (problem === undefined) print(`${where} is ready to accept messages${encryption}`)
  for (const remark of remarks) print(`${where}: ${sanitizeLine(remark)}`)
}

type SettingChanges = { relay: Change; relays: Change[] }

function collectChanges(
  changes: SettingChanges,
  name: string | undefined,
  { change, envelopeChange }: RelayCheck,
): void {
  Object.assign(changes.relay, envelopeChange)
  if (name === undefined) Object.assign(changes.relay, change)
  else if (Object.keys(change).length > 0) changes.relays.push({ name, ...change })
}

function printChanges({ relay, relays }: SettingChanges): void {
  const written = {
    ...(Object.keys(relay).length > 0 && { relay }),
    ...(relays.length > 0 && { relays }),
  }
  if (Object.keys(written).length > 0) print(`Settings to write in lastword.yml:\n${stringify(written).trimEnd()}`)
}
