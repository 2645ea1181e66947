import { readFileSync } from 'node:fs'
import { AppError, messageOf } from './errors.ts'

/** The secret that a file holds, without the line end behind it. AppError `invalid`, with `what` it is, if it cannot be read. */
export function secretIn(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/[\r\n]+$/, '')
  } catch (error) {
    throw new AppError('invalid', `${what}: ${file} cannot be read: ${messageOf(error)}`)
  }
}
