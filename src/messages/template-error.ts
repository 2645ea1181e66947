import { AppError, type ErrorCode, messageOf } from '../errors.ts'

/**
 * Runs `work` and names the template file, and the line if it is known, in an error. Handlebars' messages contain the line:
 * "Parse error on line 12:" or, at the end, " - 12:3".
 */
export function withFileName<Result>(file: string, work: () => Result, code: ErrorCode = 'invalid'): Result {
  try {
    return work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const message = messageOf(error)
    const line = /^Parse error on line (\d+):/.exec(message)?.[1] ?? / - (\d+):\d+$/.exec(message)?.[1]
    const words = message.replace(/^Parse error on line \d+:\s*/, '').replace(/ - \d+:\d+$/, '')
    throw new AppError(code, `${file}${line ? `:${line}` : ''}: ${words}`, { cause: error })
  }
}
