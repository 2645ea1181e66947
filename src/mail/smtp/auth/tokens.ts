import type XOAuth2 from 'nodemailer/lib/xoauth2'
import type { AppError } from '../../../errors.ts'

/** Gives nodemailer the access tokens of one mailbox, and requests a new one when the last has expired. */
export type Tokens = {
  source: XOAuth2
  /** Why the last request for a token failed; undefined after a success. */
  readonly problem: AppError | undefined
  close(): Promise<void>
}

/** The current token, or a new one if it has expired. Throws AppError `unavailable` if the endpoint gives none. */
export function accessToken({ source }: Tokens): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  source.getToken(false, (error, token) => (error ? reject(error) : resolve(String(token))))
  return promise
}
