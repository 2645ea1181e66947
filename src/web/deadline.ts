import { AppError } from '../errors.ts'
import { storeErrorIn } from '../store/drivers/failure.ts'
import { second } from '../time/clock.ts'

/** The work took longer than somebody who waits for a page should wait. It may still be done later. */
class DeadlineError extends AppError {
  constructor(maxMs: number) {
    super('unavailable', `no answer in ${maxMs / second} s`)
    this.name = 'DeadlineError'
  }
}

/** The result, if it comes in time; else DeadlineError: a server that vanished without a word does not even refuse. */
export async function withTimeout<T>(maxMs: number, work: Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new DeadlineError(maxMs)), maxMs)
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/** The database is away, or did not answer in time. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return error instanceof DeadlineError || storeErrorIn(error) !== undefined
}
