/**
 * The one error class. A person can act on an AppError: it says what happened, where, and what to do.
 * Anything else that is thrown is a broken promise of ours and is shown as `internal`.
 */
export type ErrorCode = 'invalid' | 'missing' | 'conflict' | 'forbidden' | 'unavailable' | 'internal'

export class AppError extends Error {
  readonly code: ErrorCode
  /** What to do about it, shown to the person. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.hint = options.hint
  }
}

/** The words of any thrown value, without its stack. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

/** The code of a system error (`ECONNREFUSED`, `ENOENT`), of the error itself or of what caused it. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return code
  if (error instanceof AggregateError) return systemCode(error.errors[0])
  return systemCode(error.cause)
}
