import { type ChildProcess, fork } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cachedEnv, launcher } from './main-flags.ts'
import { median } from './median.ts'
import { BenchPostgres } from './postgres-server.ts'

export type Measured = {
  messagesPerSecond: number
  cpuSecondsPerThousand: number
  peakMemoryMb: number
  /** Of all processes of PostgreSQL. */
  databaseCpuSecondsPerThousand?: number
  /** The share of updates of deliveries that touched no index. */
  hotShare?: number
}
export type SenderName = 'prepare' | 'lastword' | 'nodemailerPool' | 'limit'
export type Order = {
  sender: SenderName
  port: number
  recipients: number
  folder: string
  key: string
  signed: boolean
  /** Whether the messages go over STARTTLS. */
  tls: boolean
  connections: number
  /** Of an empty database; a file of SQLite if absent. */
  storeUrl: string | undefined
}

/** What share of the recipients each sends to, so that all run for about eight seconds: a start counts for each alike, and little. */
const runs = {
  lastword: { sender: 'lastword', signed: false, share: 1 },
  nodemailerPool: { sender: 'nodemailerPool', signed: false, share: 0.04 },
  limit: { sender: 'limit', signed: false, share: 1 },
  lastwordDkim: { sender: 'lastword', signed: true, share: 0.25 },
  nodemailerPoolDkim: { sender: 'nodemailerPool', signed: true, share: 0.025 },
} as const
type RunName = keyof typeof runs

const settings = {
  json: { type: 'boolean', default: false },
  recipients: { type: 'string', default: '80000' },
  rounds: { type: 'string', default: '5' },
  tls: { type: 'boolean', default: false },
  connections: { type: 'string', default: '20' },
  postgres: { type: 'boolean', default: false },
  product: { type: 'boolean', default: false },
} as const

/**
 * `npm run bench -- send [--json] [--recipients N] [--rounds N] [--connections N] [--tls] [--product] [--postgres]`:
 * with `--tls` all messages go over STARTTLS; `--product` measures nothing beside the product, unsigned; `--postgres` does
 * the same with a store in PostgreSQL, and measures its CPU too.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: settings })
  const [recipients, rounds, connections] = [values.recipients, values.rounds, values.connections].map(Number) as [
    number,
    number,
    number,
  ]
  const { tls } = values
  const isAlone = values.product || values.postgres
  const load = { recipients, rounds, connections, tls }
  const result = isAlone ? await benchProduct(load, values.postgres) : await benchSend(load)
  console.log(values.json ? JSON.stringify(result) : JSON.stringify(result, null, 2))
}

type Load = { recipients: number; rounds: number; connections: number; tls: boolean }

/** Each sender in a process of its own, one after the other, round after round, against one sink; medians. */
async function benchSend({ recipients, rounds, connections, tls }: Load) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const sink = fork('test/bench/sink.ts', tls ? ['--tls'] : [], execOptions)
  const [{ port }] = (await once(sink, 'message')) as [{ port: number }]
  const names = Object.keys(runs) as RunName[]
  const measured = new Map<RunName, Measured[]>(names.map((name) => [name, []]))
  let expected = 0
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const { sender, signed, share } = runs[name]
      const folder = mkdtempSync(join(tmpdir(), 'lastword-bench-'))
      const count = Math.max(50, Math.round(recipients * share))
      const order: Order = {
        sender,
        signed,
        port,
        recipients: count,
        folder,
        key,
        tls,
        connections,
        storeUrl: undefined,
      }
      if (sender === 'lastword') await measure({ ...order, sender: 'prepare' })
      measured.get(name)?.push(await measure(order))
      expected += count
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const taken = await countTaken(sink)
  sink.disconnect()
  if (taken !== expected) throw new Error(`the sink took ${taken} messages, not ${expected}`)
  const all = (name: RunName) => measured.get(name) ?? []
  return {
    case: 'send',
    recipients,
    rounds,
    tls,
    lastword: medians(all('lastword')),
    nodemailerPool: medians(all('nodemailerPool')),
    limit: medians(all('limit')),
    ratioToNodemailer: ratio(all('lastword'), all('nodemailerPool')),
    ratioToLimit: ratio(all('lastword'), all('limit')),
    dkim: {
      lastword: medians(all('lastwordDkim')),
      nodemailerPool: medians(all('nodemailerPoolDkim')),
      ratioToNodemailer: ratio(all('lastwordDkim'), all('nodemailerPoolDkim')),
    },
  }
}

/** The product alone, round after round, each with a store of its own. */
async function benchProduct({ recipients, rounds, connections, tls }: Load, isPostgres: boolean) {
  const sink = fork('test/bench/sink.ts', tls ? ['--tls'] : [], execOptions)
  const [{ port }] = (await once(sink, 'message')) as [{ port: number }]
  const postgres = isPostgres ? await BenchPostgres.open() : undefined
  const measured: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    const folder = mkdtempSync(join(tmpdir(), 'lastword-bench-'))
    const storeUrl = await postgres?.database()
    const order: Order = {
      sender: 'lastword',
      signed: false,
      port,
      recipients,
      folder,
      key: '',
      tls,
      connections,
      storeUrl,
    }
    await measure({ ...order, sender: 'prepare' })
    const before = postgres?.cpuSeconds() ?? 0
    const one = await measure(order)
    if (postgres && storeUrl) {
      one.databaseCpuSecondsPerThousand = (postgres.cpuSeconds() - before) / (recipients / 1000)
      one.hotShare = await postgres.hotShare(storeUrl)
    }
    measured.push(one)
    rmSync(folder, { recursive: true, force: true })
  }
  const taken = await countTaken(sink)
  sink.disconnect()
  await postgres?.remove()
  if (taken !== recipients * rounds) throw new Error(`the sink took ${taken} messages, not ${recipients * rounds}`)
  return {
    case: 'send',
    recipients,
    rounds,
    connections,
    tls,
    store: isPostgres ? 'PostgreSQL' : 'SQLite',
    ...medians(measured),
  }
}

/** The compile cache that main.ts turns on for the product is on for all. */
const execOptions = { execArgv: ['--disable-warning=ExperimentalWarning'], env: cachedEnv }
/** The product starts from its launcher; the others as everybody starts them. */
const launched = { ...execOptions, execPath: launcher, execArgv: [] }

async function measure(order: Order): Promise<Measured> {
  const child = fork('test/bench/sender.ts', order.sender === 'lastword' ? launched : execOptions)
  child.send(order)
  const [result] = (await Promise.race([once(child, 'message'), throwChildFailure(child)])) as [Measured]
  if (child.exitCode === null) await once(child, 'exit')
  return result
}

async function throwChildFailure(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`a sender ended with ${code} and no result`)
}

async function countTaken(sink: ChildProcess): Promise<number> {
  sink.send('count')
  const [{ taken }] = (await once(sink, 'message')) as [{ taken: number }]
  return taken
}

function medians(all: Measured[]): Measured {
  return {
    messagesPerSecond: Math.round(median(all.map((one) => one.messagesPerSecond))),
    cpuSecondsPerThousand: round(median(all.map((one) => one.cpuSecondsPerThousand))),
    peakMemoryMb: Math.round(median(all.map((one) => one.peakMemoryMb))),
    ...optional('databaseCpuSecondsPerThousand', all),
    ...optional('hotShare', all),
  }
}

function optional(key: 'databaseCpuSecondsPerThousand' | 'hotShare', all: Measured[]): Partial<Measured> {
  const values = all.map((one) => one[key]).filter((value) => value !== undefined)
  return values.length > 0 ? { [key]: round(median(values)) } : {}
}

/** The median of what each round says: a machine that others share is now quick and now slow, and a round is short. */
function ratio(ones: Measured[], others: Measured[]): number {
  const inRound = ones.map((one, index) => one.messagesPerSecond / (others[index]?.messagesPerSecond ?? Number.NaN))
  return round(median(inRound))
}

const round = (value: number) => Math.round(value * 1000) / 1000
