import { between, type Instant, second, type WaitingClock } from '../clock.ts'
import type { QueuedDelivery } from '../store/deliveries.ts'
import type { Bucket, Buckets } from './buckets.ts'
import type { Gate, Wait } from './gate.ts'

/** What all connections draw their deliveries from: only what may go now. */
export type Queue = {
  /** The next that may go; undefined: nothing more in this pass. */
  next(): QueuedDelivery | undefined | Promise<QueuedDelivery | undefined>
  /** Whether the queue begins to wait for a token before that is settled. */
  waitsBefore(promise: Promise<unknown>): Promise<boolean>
  /** Why the pass ends with something left that could go later. */
  readonly wait: Wait | undefined
}

export type QueueNeeds = {
  clock: WaitingClock
  buckets: Buckets
  gate: Gate
  /** The next page of deliveries that are due, after the subscriber named; the last page is short or empty. */
  readPage(after: string): Promise<QueuedDelivery[]>
  /** Whether nothing more is to be begun; asked once a second while the queue waits. */
  isOver(): Promise<boolean>
  signal?: AbortSignal | undefined
  /** Milliseconds that a pass waits in all for providers that are slow; the rest is for a later pass. */
  patience: number
}

const mostOfOne = 100
const mostAside = 2000

/**
 * Deliveries in the order of the subscribers, but for those whose mail provider is slow and has no token: these are set
 * aside, as many as memory is for, and go when there is one; the others are passed by and met again. So one provider
 * never keeps another waiting. When nothing else is left the queue waits for a token; nothing is claimed meanwhile.
 */
export function pacedQueue({ clock, buckets, gate, readPage, isOver, signal, patience }: QueueNeeds): Queue {
  let page: QueuedDelivery[] = []
  let used = 0
  let after = ''
  let isRead = false
  const aside = new Map<Bucket, QueuedDelivery[]>()
  const asideIds = new Set<string>()
  /** Whose deliveries were passed by, for want of room. */
  let passed = new Set<Bucket>()
  /** On a second time through: whose deliveries are looked for. */
  let wanted: Set<Bucket> | undefined
  let tokenAt: Instant | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let waited = 0
  let wait: Wait | undefined
  let isWaiting = false
  let isEnded = false
  const hearing = new Set<() => void>()

  function next(): QueuedDelivery | undefined | Promise<QueuedDelivery | undefined> {
    const delivery = page[used]
    if (delivery && asideIds.size === 0 && buckets.of(delivery.email).pace.rate === null && gate.take()) {
      used += 1
      return delivery
    }
    const found = turn.then(find)
    turn = found.catch(() => {})
    return found
  }

  async function find(): Promise<QueuedDelivery | undefined> {
    for (;;) {
      if (wait || isEnded || signal?.aborted) return undefined
      const shut = await gate.shut()
      if (shut) {
        wait = shut
        return undefined
      }
      const delivery = fromAside() ?? fromPage()
      if (delivery) {
        if (gate.take()) return delivery
        keepAside(buckets.of(delivery.email), delivery) // the gate shut between the two
      } else if (used < page.length) used += 1
      else if (!isRead) await readOn()
      else if (asideIds.size < mostAside && [...passed].some((bucket) => !aside.has(bucket))) startAgain()
      else if (asideIds.size === 0 || !(await waitForToken())) return undefined
    }
  }

  /** The first that was set aside and has a token now. */
  function fromAside(): QueuedDelivery | undefined {
    if (asideIds.size === 0 || (tokenAt !== undefined && clock.now() < tokenAt)) return undefined
    tokenAt = undefined
    for (const [bucket, deliveries] of aside) {
      if (!buckets.take(bucket)) {
        const at = buckets.readyAt(bucket)
        if (tokenAt === undefined || at < tokenAt) tokenAt = at
        continue
      }
      const [delivery] = deliveries.splice(0, 1)
      if (deliveries.length === 0) aside.delete(bucket)
      if (!delivery) continue
      asideIds.delete(delivery.subscriberId)
      tokenAt = undefined
      return delivery
    }
    return undefined
  }

  /** The next of the page if it may go; else it is set aside or passed by, and the page stands before it still. */
  function fromPage(): QueuedDelivery | undefined {
    const delivery = page[used]
    if (!delivery || asideIds.has(delivery.subscriberId)) return undefined
    const bucket = buckets.of(delivery.email)
    if (!aside.has(bucket) && buckets.take(bucket)) {
      used += 1
      return delivery
    }
    keepAside(bucket, delivery)
    return undefined
  }

  function keepAside(bucket: Bucket, delivery: QueuedDelivery): void {
    const deliveries = aside.get(bucket) ?? []
    if (deliveries.length >= mostOfOne || asideIds.size >= mostAside) return void passed.add(bucket)
    deliveries.push(delivery)
    aside.set(bucket, deliveries)
    asideIds.add(delivery.subscriberId)
    tokenAt = undefined
  }

  async function readOn(): Promise<void> {
    if (wanted && isFull(wanted)) {
      for (const bucket of wanted) passed.add(bucket)
      isRead = true
      return
    }
    page = await readPage(after)
    used = 0
    after = page.at(-1)?.subscriberId ?? after
    if (page.length === 0) isRead = true
  }

  /** Nothing is to be gained by reading on: there is no room for more of any of these. */
  function isFull(some: Set<Bucket>): boolean {
    if (asideIds.size >= mostAside) return true
    return [...some].every((bucket) => bucket.pace.rate !== null && (aside.get(bucket)?.length ?? 0) >= mostOfOne)
  }

  /** Meets again what was passed by. */
  function startAgain(): void {
    wanted = passed
    passed = new Set()
    after = ''
    isRead = false
  }

  /** Waits until there is a token, or the end; false: nothing more in this pass. */
  async function waitForToken(): Promise<boolean> {
    const [bucket] = [...aside.keys()].sort((a, b) => (buckets.readyAt(a) < buckets.readyAt(b) ? -1 : 1))
    if (!bucket) return true
    const until = buckets.readyAt(bucket)
    if (waited >= patience) {
      wait = { until, reason: `${bucket.name} is slow: ${bucket.pace.reason}` }
      return false
    }
    beginWaiting()
    const step = Math.min(Math.max(1, between(clock.now(), until)), second / 2)
    await clock.wait(step, signal)
    waited += step
    isWaiting = false
    isEnded = await isOver()
    return !isEnded
  }

  function beginWaiting(): void {
    isWaiting = true
    for (const hear of hearing) hear()
    hearing.clear()
  }

  return {
    next,
    waitsBefore(promise) {
      const { promise: answer, resolve } = Promise.withResolvers<boolean>()
      const hear = () => resolve(true)
      const settled = () => {
        hearing.delete(hear)
        resolve(false)
      }
      promise.then(settled, settled)
      if (isWaiting) hear()
      else hearing.add(hear)
      return answer
    },
    get wait() {
      return wait
    },
  }
}
