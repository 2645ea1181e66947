import type { Message } from '../mail/mime.ts'
import type { SendResult } from '../mail/smtp/result.ts'
import type { QueuedDelivery } from '../store/deliveries/deliveries.ts'
import type { DeliveryResult } from '../store/deliveries/hand-over.ts'
import { afterResult } from './delivery.ts'
import { isInDoubt, rowInDoubt } from './judging/doubt.ts'
import { judgeAnswer } from './judging/judge-answer.ts'
import { handleUnfit } from './judging/unfit.ts'
import { type LookAhead, lookAhead } from './look-ahead.ts'
import type { PacedQueue } from './paced-queue.ts'
import { count, isGoing, type Pass, passOver } from './pass.ts'
import type { ConnectionEnd } from './relays/pooled-relay.ts'
import type { RelayConnection } from './relays/relay-connection.ts'
import type { DeliverNeeds } from './sending-needs.ts'

type Ready = { delivery: QueuedDelivery; message: Message }

/**
 * Runs one connection: claims, hands over and records one delivery after another. A result and the next claim share a
 * commit, unless the connection has to wait in between; two messages are prepared ahead, so that the relay can receive
 * the next envelope early.
 */
export async function runConnection(
  connection: RelayConnection,
  needs: DeliverNeeds,
  pass: Pass,
): Promise<ConnectionEnd> {
  return await new ConnectionLoop(connection, needs, pass).run()
}

class ConnectionLoop {
  readonly #connection: RelayConnection
  readonly #needs: DeliverNeeds
  readonly #pass: Pass
  readonly #queue: PacedQueue
  readonly #ahead: LookAhead<Ready>
  /** Ended, and not yet recorded. */
  #ended: DeliveryResult | undefined

  constructor(connection: RelayConnection, needs: DeliverNeeds, pass: Pass) {
    this.#connection = connection
    this.#needs = needs
    this.#pass = pass
    this.#queue = pass.queue
    this.#ahead = lookAhead(() => this.#makeReady(), 2)
  }

  async run(): Promise<ConnectionEnd> {
    try {
      return await this.#sendAll()
    } finally {
      await this.#record()
      for (const copy of await this.#ahead.rest()) this.#leave(copy)
    }
  }

  /** Awaits only what is not there yet: each further promise costs as much as a tenth of a message. */
  async #sendAll(): Promise<ConnectionEnd> {
    for (;;) {
      const taking = this.#ahead.take()
      const copy = taking instanceof Promise ? await this.#takeLater(taking) : taking
      if (!copy) return this.#queue.isHandedOver(this.#connection.relay) ? 'again' : 'done'
      const admission = this.#admit()
      if (admission !== true && !(await admission)) {
        this.#leave(copy)
        return 'done'
      }
      const end = await this.#claimAndSend(copy)
      this.#needs.reuse?.(copy.message)
      if (end || this.#connection.isWantedByOthers) return end ?? 'again'
    }
  }

  /** Records the last result first if the queue has to wait for the next message. */
  async #takeLater(taking: Promise<Ready | undefined>): Promise<Ready | undefined> {
    if (this.#ended && (await this.#queue.waitsBefore(taking))) await this.#record()
    return await taking
  }

  /** Whether one more message may be sent now, by the pass and the limits of the relay and the edition. */
  #admit(): boolean | Promise<boolean> {
    const admitted = isGoing(this.#pass) && this.#connection.admit()
    if (typeof admitted !== 'boolean') return this.#recordAndWait(admitted).then((one) => this.#isStillOpen(one))
    return this.#isStillOpen(admitted)
  }

  #isStillOpen(isAdmitted: boolean): boolean {
    if (!isAdmitted) return false
    if (this.#pass.admission.isOpen()) return true
    this.#connection.settle(undefined)
    return false
  }

  /** Waits for admission with no delivery in flight. */
  async #recordAndWait(admitted: Promise<boolean>): Promise<boolean> {
    admitted.catch(() => {}) // a rejection during the record is handled below
    await this.#record()
    return await admitted
  }

  async #claimAndSend({ delivery, message }: Ready): Promise<ConnectionEnd | undefined> {
    const { rates } = this.#needs
    const ended = this.#ended
    this.#ended = undefined
    if (!(await this.#pass.ledger.recordAndClaim(ended, delivery))) {
      this.#connection.settle(undefined)
      this.#pass.admission.settle(undefined)
      await passOver(this.#needs, this.#pass, delivery)
      return undefined
    }
    const ticket = rates.begin(delivery.email, this.#connection.relay)
    const sending = this.#connection.send(message, this.#ahead.next?.message)
    this.#ahead.fill()
    const result = await sending
    if (this.#connection.isTurnedAway(result)) {
      this.#connection.settle(undefined)
      await this.#giveBack(delivery, result)
      return 'again'
    }
    this.#connection.settle(result, rates.recordResult(ticket, result, this.#needs.clock.now()))
    if (result.kind === 'accepted') return this.#accepted(delivery, result)
    return await this.#notAccepted(delivery, result)
  }

  /** Records the result together with the next claim. */
  #accepted(delivery: QueuedDelivery, result: SendResult): undefined | Promise<undefined> {
    this.#ended = this.#resultOf(delivery, result)
    count(this.#pass, delivery, 'accepted')
    this.#pass.admission.settle(result)
    return judgeAnswer(this.#needs, this.#pass, this.#connection.relay, result, delivery)?.then(() => undefined)
  }

  async #notAccepted(delivery: QueuedDelivery, result: SendResult): Promise<ConnectionEnd | undefined> {
    if (result.kind === 'unsent') {
      await this.#giveBack(delivery, result)
      return undefined
    }
    const elsewhere =
      result.kind === 'unfit' ? await handleUnfit(this.#needs, this.#pass, this.#connection.relay, result) : 'never'
    if (result.kind === 'unfit' && elsewhere === 'now') {
      await this.#giveBack(delivery, result)
      return result.lacks === 'SIZE' ? 'done' : undefined
    }
    this.#ended = this.#resultOf(delivery, elsewhere === 'later' ? { ...result, kind: 'cut' } : result)
    count(this.#pass, delivery, this.#ended.status)
    this.#pass.admission.settle(result)
    await this.#record() // before the verdict, which may queue it again
    await judgeAnswer(this.#needs, this.#pass, this.#connection.relay, result, delivery)
    return undefined
  }

  /** The delivery is still queued, and another connection may take it. */
  async #giveBack(delivery: QueuedDelivery, result: SendResult): Promise<void> {
    this.#ended = this.#resultOf(delivery, { ...result, kind: 'unsent' })
    this.#pass.admission.settle(undefined)
    await this.#record()
    this.#queue.giveBack(delivery)
  }

  #resultOf(delivery: QueuedDelivery, result: SendResult): DeliveryResult {
    const now = this.#needs.clock.now()
    const row = isInDoubt(result, delivery) ? rowInDoubt(result, delivery, now) : afterResult(result, delivery, now)
    return { subscriberId: delivery.subscriberId, relay: this.#connection.relay, ...row }
  }

  async #record(): Promise<void> {
    const ended = this.#ended
    this.#ended = undefined
    if (ended) await this.#pass.ledger.recordAndClaim(ended, undefined)
  }

  /** Drops a prepared message that is not sent now. */
  #leave({ delivery, message }: Ready): void {
    this.#pass.admission.settle(undefined)
    this.#needs.reuse?.(message)
    this.#queue.giveBack(delivery)
  }

  #makeReady(): Ready | undefined | Promise<Ready | undefined> {
    const delivery = this.#queue.next(this.#connection.relay)
    if (delivery instanceof Promise) return delivery.then((one) => one && this.#fill(one))
    return delivery && this.#fill(delivery)
  }

  #fill(delivery: QueuedDelivery): Ready | Promise<Ready> {
    const message = this.#needs.personalise(delivery)
    return message instanceof Promise ? message.then((made) => ({ delivery, message: made })) : { delivery, message }
  }
}
