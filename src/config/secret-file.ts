import { readFileSync } from 'node:fs'
import { AppError, messageOf, systemCode } from '../errors.ts'

/**
 * The secret that a file holds, without the line end behind it. Throws AppError `invalid`, with the file and `what` it is
 * for, if there is no such file, if it cannot be read, or if nothing is in it.
 */
export function readSecretFile(file: string, what: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const why = systemCode(error) === 'ENOENT' ? 'there is no such file (ENOENT)' : messageOf(error)
    throw new AppError('invalid', `${what}: ${file} cannot be read: ${why}`)
  }
  const secret = text.replace(/[\r\n]+$/, '')
  if (secret === '') throw new AppError('invalid', `${what}: ${file} is empty`)
  return secret
}
