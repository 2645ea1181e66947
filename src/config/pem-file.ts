import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { AppError, messageOf, systemCode } from '../errors.ts'

const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/**
 * The certificates of a PEM file (RFC 7468 §5), each as PEM text; `fileOrText` is its path or text. Throws AppError
 * `invalid` if the file or a certificate is missing or damaged.
 */
export function readCertificates(fileOrText: string): string[] {
  const isText = fileOrText.includes('-----BEGIN ')
  const where = isText ? 'the given text' : fileOrText
  const found = (isText ? fileOrText : readText(fileOrText)).match(block) ?? []
  if (found.length === 0)
    throw new AppError('invalid', `expected a PEM file with "BEGIN CERTIFICATE" in it, found none in ${where}`)
  for (const [index, pem] of found.entries()) {
    try {
      new X509Certificate(pem)
    } catch {
      throw new AppError('invalid', `certificate ${index + 1} of ${found.length} in ${where} is damaged`)
    }
  }
  return found
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new AppError('invalid', `there is no file ${file}`)
    throw new AppError('invalid', `${file} cannot be read: ${messageOf(error)}`)
  }
}
