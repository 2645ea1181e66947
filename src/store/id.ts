import { createHmac, randomInt } from 'node:crypto'
import { v7 } from 'uuid'
import type { Instant } from '../time/clock.ts'

let lastMilliseconds = 0
let sequence = 0

/**
 * A new UUIDv7 as text (RFC 9562 §5.7). Ids sort by time, and those of this process within one millisecond by their
 * order (§6.2, method 1).
 */
export function newId(now: Instant): string {
  const msecs = Date.parse(now)
  sequence = msecs === lastMilliseconds ? sequence + 1 : randomInt(2 ** 31)
  lastMilliseconds = msecs
  return v7({ msecs, seq: sequence })
}

/**
 * The id of a digest's edition for one instant: a UUIDv7 with random bits from a keyed hash. It is always the same, so
 * a run repeated from a restored backup has the same Message-IDs.
 */
export function editionId(secret: string, digest: string, dueAt: Instant): string {
  const random = createHmac('sha256', secret).update(`edition\n${digest}\n${dueAt}`).digest().subarray(0, 16)
  return v7({ msecs: Date.parse(dueAt), random, seq: random.readUInt32BE(6) })
}
