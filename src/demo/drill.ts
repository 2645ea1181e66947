import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { App } from '../app.ts'
import { AppError } from '../errors.ts'
import { addressesByStatus } from '../store/deliveries/deliveries.ts'
import { editionById } from '../store/editions/editions.ts'
import { hour } from '../time/clock.ts'
import { connections, type DrillOptions, prepareEdition } from './drill-edition.ts'
import { DrillSink } from './drill-sink.ts'
import type { DrillOrder } from './drill-worker.ts'

/** Counted by the sink; only `unknown`, and the copies that a kill cut off, come from the ledger. */
export type DrillReport = {
  recipients: number
  /** People who got the message. */
  accepted: number
  /** People who did not get it, and whose delivery is not `unknown`. */
  lost: number
  /** Copies after the first one of each person. */
  duplicates: number
  /** The duplicates with the same Message-ID after a kill or the sink had cut off the answer to the earlier copy. */
  duplicatesExplained: number
  unknown: number
  kills: number
  /** The largest number of deliveries in status `sending` after one kill; at most one for each connection. */
  mostAtOneKill: number
  connections: number
  seconds: number
}

/** A drill with more passes fails. */
const maxPasses = 500

/** Sends an edition from a temporary store to a local SMTP server, and kills the sender with SIGKILL at random times. */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'lastword-drill-'))
  const sink = new DrillSink({ faults: options.faults, security: options.tls ? 'starttls' : 'none' })
  try {
    const { app, editionId } = await prepareEdition(folder, await sink.start(), options)
    try {
      const killed = await sendWithKills(app, sink, editionId, options)
      const seconds = Math.round(performance.now() - startedAt) / 1000
      return { ...(await countResults(app, sink, editionId, options.recipients, killed)), seconds }
    } finally {
      await app.close()
    }
  } finally {
    await sink.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type KillRecord = { kills: number; mostAtOneKill: number; cutOff: Set<string> }

/** Starts senders and kills them until the edition is sent. The clock is set ahead between passes, so that retries are due. */
async function sendWithKills(app: App, sink: DrillSink, editionId: string, options: DrillOptions): Promise<KillRecord> {
  const killed: KillRecord = { kills: 0, mostAtOneKill: 0, cutOff: new Set() }
  let shift = 0
  for (let pass = 0; pass < maxPasses; pass++) {
    const killsLeft = options.kills - killed.kills
    // a fast sender must not finish before its last kill
    sink.answerUpTo(options.recipients - killsLeft * connections - countGivenUp(killed, sink, options))
    const child = startSender({ config: app.config, editionId, unknown: options.unknown, shift })
    const messages = (options.recipients - sink.copies.size) / (killsLeft + 1)
    if (killsLeft > 0 && (await killAtRandomTime(child, sink, messages))) killed.kills += 1
    const isKilled = await waitForExit(child)
    if (isKilled) addCutOff(killed, await addressesByStatus(app.db, editionId, 'sending'))
    else if ((await editionById(app.db, editionId))?.status === 'sent') return killed
    else shift += hour
  }
  throw new AppError('internal', `the edition was not finished after ${maxPasses} passes`)
}

/** Returns whether the sender was still running. */
async function killAtRandomTime(child: ChildProcess, sink: DrillSink, messages: number): Promise<boolean> {
  await Promise.race([once(child, 'exit'), waitForRandomTime(sink, messages)])
  return child.exitCode === null && child.kill('SIGKILL')
}

/** Returns whether the sender was killed. AppError `internal` if it failed. */
async function waitForExit(child: ChildProcess): Promise<boolean> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  if (child.signalCode === 'SIGKILL') return true
  if (child.exitCode !== 0) throw new AppError('internal', `a sender ended with exit code ${child.exitCode}: see above`)
  return false
}

function addCutOff(killed: KillRecord, addresses: string[]): void {
  killed.mostAtOneKill = Math.max(killed.mostAtOneKill, addresses.length)
  for (const address of addresses) killed.cutOff.add(address)
}

/** The number of people who get no copy: theirs was cut off before the sink had it, and `hold` sends no other. */
function countGivenUp({ cutOff }: KillRecord, { copies }: DrillSink, { unknown }: DrillOptions): number {
  return unknown === 'hold' ? [...cutOff].filter((address) => !copies.has(address)).length : 0
}

/** Waits for about `messages` more messages, or in one of ten cases for less than a second, while the sender starts. */
async function waitForRandomTime(sink: DrillSink, messages: number): Promise<void> {
  if (Math.random() < 0.1) return await wait(Math.random() * 1000)
  await sink.untilMessageCount(sink.messageCount + Math.ceil(1.5 * Math.random() * messages))
  await wait(Math.random() * 3)
}

function startSender(order: DrillOrder): ChildProcess {
  const launcher = join(import.meta.dirname, '../lastword')
  const worker = join(import.meta.dirname, 'drill-worker.ts')
  return spawn(launcher, [worker, JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function countResults(app: App, sink: DrillSink, editionId: string, recipients: number, killed: KillRecord) {
  const unknown = await addressesByStatus(app.db, editionId, 'unknown')
  let duplicates = 0
  let duplicatesExplained = 0
  for (const [address, copies] of sink.copies) {
    const [first] = copies
    for (const [index, copy] of copies.entries()) {
      if (index === 0) continue
      duplicates += 1
      const isCutOff = killed.cutOff.has(address) || copies[index - 1]?.answered === false
      if (isCutOff && copy.messageId === first?.messageId) duplicatesExplained += 1
    }
  }
  const accepted = sink.copies.size
  const lost = recipients - new Set([...sink.copies.keys(), ...unknown]).size
  const { kills, mostAtOneKill } = killed
  return {
    recipients,
    accepted,
    lost,
    duplicates,
    duplicatesExplained,
    unknown: unknown.length,
    kills,
    mostAtOneKill,
    connections,
  }
}
