import type { Message } from '../messages/mime.ts'
import type { DeliveryResult, QueuedDelivery } from '../store/deliveries.ts'
import type { DeliverNeeds } from './deliver.ts'
import { afterResult } from './delivery.ts'
import { lookAhead } from './look-ahead.ts'
import type { Queue } from './paced-queue.ts'
import { count, heed, isGoing, type Pass, passOver } from './pass.ts'
import type { RelayLine } from './relays.ts'

/**
 * One connection's work: claimed → handed over → recorded, over and over. How one delivery ended and the claim of the
 * next are committed together; where there is something to wait for in between, what ended is recorded first. Two copies
 * are made ready ahead of their claims, so that the relay may hear the next envelope while it still reads a message.
 */
export async function sendOver(line: RelayLine, queue: Queue, needs: DeliverNeeds, pass: Pass): Promise<void> {
  const ahead = lookAhead(() => makeReady(queue, needs), 2)
  let ended: DeliveryResult | undefined
  const record = async () => {
    const result = ended
    ended = undefined
    if (result) await pass.clerk.turn(result, undefined)
  }
  try {
    for (;;) {
      const isReady = ahead.next !== undefined
      const taking = ahead.take()
      if (ended && !isReady && (await queue.waitsBefore(taking))) await record()
      const copy = await taking
      if (!copy) break
      const { delivery, message } = copy
      const admitted = isGoing(pass) && line.admit()
      if (admitted !== true && !(await recordAndWait(record, admitted))) {
        leave(needs, pass, copy)
        break
      }
      if (!pass.gate.isOpen()) {
        line.heard(undefined)
        leave(needs, pass, copy)
        break
      }
      const turn = pass.clerk.turn(ended, delivery.subscriberId)
      ended = undefined
      if (!(await turn)) {
        line.heard(undefined)
        pass.gate.settle(false)
        await passOver(needs, pass, delivery)
      } else {
        const ticket = needs.buckets.begin(delivery.email)
        const sending = line.send(message, ahead.next?.message)
        ahead.fill()
        const result = await sending
        const now = needs.clock.now()
        const row = afterResult(result, delivery, pass.since, now)
        ended = { subscriberId: delivery.subscriberId, relay: line.relay, ...row }
        if (result.kind === 'unsent') pass.leftBehind += 1
        count(pass, delivery, row.status)
        pass.gate.settle(row.status === 'accepted' || row.status === 'unknown')
        line.heard(result, needs.buckets.heard(ticket, result, now))
        const heeded = heed(needs, pass, result, delivery)
        if (heeded) await heeded
      }
      needs.reuse?.(message)
    }
  } finally {
    line.release()
    await record()
    for (const copy of await ahead.rest()) leave(needs, pass, copy)
  }
}

type Ready = { delivery: QueuedDelivery; message: Message }

function makeReady(queue: Queue, { personalise }: DeliverNeeds): Ready | undefined | Promise<Ready | undefined> {
  const delivery = queue.next()
  if (delivery instanceof Promise) return delivery.then((one) => (one ? filled(one, personalise(one)) : undefined))
  return delivery && filled(delivery, personalise(delivery))
}

function filled(delivery: QueuedDelivery, message: Message | Promise<Message>): Ready | Promise<Ready> {
  return message instanceof Promise ? message.then((made) => ({ delivery, message: made })) : { delivery, message }
}

/** Nothing is in our hands while we wait for our turn. */
async function recordAndWait(record: () => Promise<void>, admitted: false | Promise<boolean>): Promise<boolean> {
  await record()
  return await admitted
}

/** A copy that was made ready and is not sent now: it is queued still. */
function leave({ reuse }: DeliverNeeds, pass: Pass, { message }: Ready): void {
  pass.leftBehind += 1
  pass.gate.settle(false)
  reuse?.(message)
}
