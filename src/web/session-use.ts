import type { App } from '../app.ts'
import { messageOf } from '../errors.ts'
import type { SessionRow } from '../store/schema.ts'
import { extendSession } from '../store/staff/staff.ts'
import { addMs, day, hour, type Instant, minute, msBetween } from '../time/clock.ts'

/** A session ends after 12 hours without use, and at the latest 30 days after it began. */
const maxIdleMs = 12 * hour
export const maxSessionMs = 30 * day

const recordIntervalMs = 5 * minute

/** The end of a session that began at `createdAt` and is used now. */
export function sessionEnd(createdAt: Instant, now: Instant): Instant {
  const [idle, absolute] = [addMs(now, maxIdleMs), addMs(createdAt, maxSessionMs)]
  return idle < absolute ? idle : absolute
}

/** Records the use of sessions. Pages do not wait for it, because a locked database can still be read. */
export class SessionUse {
  readonly #app: Pick<App, 'db' | 'clock' | 'log'>
  readonly #writing = new Set<string>()

  constructor(app: Pick<App, 'db' | 'clock' | 'log'>) {
    this.#app = app
  }

  /** Extends the session, at most every five minutes. */
  record({ hash, createdAt, lastUsedAt }: SessionRow): void {
    const { db, clock, log } = this.#app
    const now = clock.now()
    if (msBetween(lastUsedAt, now) < recordIntervalMs || this.#writing.has(hash)) return
    this.#writing.add(hash)
    extendSession(db, { hash, lastUsedAt: now, expiresAt: sessionEnd(createdAt, now) })
      .catch((error) => log.warn({ event: 'session.not_extended', error: messageOf(error) }, 'session not extended'))
      .finally(() => this.#writing.delete(hash))
  }
}
