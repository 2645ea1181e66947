import { createHash, randomBytes } from 'node:crypto'
import type { App } from '../../app.ts'
import { signInLink } from '../../mail/links.ts'
import { addSignInLink } from '../../store/staff/staff.ts'
import { addMs, minute } from '../../time/clock.ts'

/** The lifetime of a link that the operator prints. */
const printedLinkLifetimeMs = 30 * minute

type LinkOptions = { next?: string; lifetimeMs?: number }

/**
 * Creates a link that signs `staff` in once, and then opens the page `next`. The store keeps only the SHA-256 of the
 * 256-bit token, so reading the store does not help to sign in.
 */
export async function makeSignInLink(
  { db, clock, config }: Pick<App, 'db' | 'clock' | 'config'>,
  staff: string,
  { next, lifetimeMs = printedLinkLifetimeMs }: LinkOptions = {},
): Promise<string> {
  const now = clock.now()
  const token = newToken()
  await addSignInLink(db, { hash: hashToken(token), staff, createdAt: now, expiresAt: addMs(now, lifetimeMs) })
  return signInLink(config.web.url, token, next)
}

/** A new random token of 256 bits, in base64url. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** The SHA-256 that the store keeps of a token. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
