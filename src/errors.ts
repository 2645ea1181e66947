/**
 * A person can act on an AppError: it says what happened, where, and what to do. Any other thrown value is a bug and is
 * shown as `internal`.
 */
export type ErrorCode = 'invalid' | 'missing' | 'conflict' | 'forbidden' | 'unavailable' | 'internal'

export class AppError extends Error {
  readonly code: ErrorCode
  /** The suggested fix, shown to the person. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.hint = options.hint
  }
}

/** The message of any thrown value, without its stack. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

/** The code of a system error (`ECONNREFUSED`, `ENOENT`), from the error or from its cause. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return code
  if (error instanceof AggregateError) return systemCode(error.errors[0])
  return systemCode(error.cause)
}
