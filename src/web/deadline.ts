import { AppError } from '../errors.ts'
import { storeErrorIn } from '../store/drivers/failure.ts'
import { second } from '../time/clock.ts'

/** The work took too long for a page. It may still succeed later. */
class DeadlineError extends AppError {
  constructor(maxMs: number) {
    super('unavailable', `no answer in ${maxMs / second} s`)
    this.name = 'DeadlineError'
  }
}

/** The result of `work`; DeadlineError after `maxMs`, because a vanished database server may never answer. */
export async function withTimeout<T>(maxMs: number, work: Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new DeadlineError(maxMs)), maxMs)
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether the error means that the database is unreachable or did not answer in time. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return error instanceof DeadlineError || storeErrorIn(error) !== undefined
}
