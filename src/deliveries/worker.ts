import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { markAbandoned, markOrphaned } from '../store/deliveries/unknown.ts'
import { newId } from '../store/id.ts'
import type { Db } from '../store/schema.ts'
import { addWorker, allWorkers, capSeenAt, removeWorker, touchWorker, type Worker } from '../store/system/workers.ts'
import { type Clock, type Instant, minute, msBetween } from '../time/clock.ts'

type Needs = { db: Db; clock: Clock }

/** A worker not seen for this long is dead, on any machine. */
export const maxSilenceMs = 2 * minute

/** Registers this process as a sender. After a crash this row identifies its deliveries in flight. */
export async function startWorker({ db, clock }: Needs, command: Worker['command'] = null): Promise<Worker> {
  const now = clock.now()
  const worker = { id: newId(now), host: thisHost(), pid: process.pid, startedAt: now, seenAt: now, command }
  await addWorker(db, worker)
  return worker
}

export async function keepAlive({ db, clock }: Needs, worker: Worker): Promise<void> {
  await touchWorker(db, worker, clock.now())
}

/** Removes the worker on shutdown. Deliveries still in flight after an error may have been sent. */
export async function stopWorker({ db, clock }: Needs, worker: Worker): Promise<void> {
  await release(db, worker.id, clock.now())
}

/**
 * Marks the deliveries in flight of dead senders `unknown`, since they may have been sent; returns their number. A
 * sender on this machine is dead if its process is, one elsewhere after two minutes of silence.
 */
export async function releaseAbandoned({ db, clock }: Needs, self: Worker): Promise<number> {
  await capSeenAt(db, clock.now(), maxSilenceMs) // a worker that died with its clock ahead would otherwise seem alive
  let released = await markOrphaned(db, clock.now())
  for (const worker of await allWorkers(db)) {
    if (worker.id === self.id || isAlive(worker, self, clock.now())) continue
    released += await release(db, worker.id, clock.now())
  }
  return released
}

async function release(db: Db, workerId: string, now: Instant): Promise<number> {
  const count = await markAbandoned(db, workerId, now)
  await removeWorker(db, workerId)
  return count
}

/** Whether a process serves this store's pages, on any machine: links in emails need one. */
export async function isServing({ db, clock }: Needs): Promise<boolean> {
  const self = { id: '', host: thisHost(), pid: process.pid, startedAt: '', seenAt: '', command: null }
  const serving = (await allWorkers(db)).filter(({ command }) => command === 'start')
  return serving.some((worker) => isAlive(worker, self, clock.now()))
}

function isAlive(worker: Worker, self: Worker, now: Instant): boolean {
  const recent = msBetween(worker.seenAt, now) < maxSilenceMs
  if (worker.host !== self.host) return recent
  if (worker.pid === self.pid) return worker.startedAt >= self.startedAt && recent // else the process ID was reused
  return recent && processExists(worker.pid)
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The machine's name, boot and process namespace: two containers may share a name, and each has a process 1. */
function thisHost(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
