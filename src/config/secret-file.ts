import { readFileSync } from 'node:fs'
import { AppError, messageOf, systemCode } from '../errors.ts'

/**
 * The secret in a file, without the line end. Throws AppError `invalid` with the setting (`what`) and the file if it is
 * missing, unreadable or empty.
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
