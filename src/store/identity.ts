import { createHash } from 'node:crypto'

/**
 * What makes one of several pieces that bear the same guid or link: that, and whichever of address and title tells them
 * apart.
 */
export function sharedIdentity(bare: string, { url, title }: { url?: string; title?: string }): string {
  return `${bare}${url === undefined ? '' : ` ${url}`}${title === undefined ? '' : ` ${fingerprint(title)}`}`
}

/** Whether it is `bare` with something added, as above. */
export function isShared(identity: string, bare: string): boolean {
  return identity.startsWith(`${bare} `) && / (?:https?:\S+|[0-9a-f]{24})$/.test(identity)
}

/** 96 bits of SHA-256 as hex. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
