import { sharedPart } from '../../store/articles/identity.ts'

const uuid = /^(?:urn:uuid:)?\{?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\}?$/i
const nilUuid = /^[0-]+$/

/**
 * The guid of an article if it is unique beyond its feed: a UUID, a URN or tag URI (RFC 8141, RFC 4151), or an address with
 * a path; else null, as for "1" or a guid that several entries share.
 */
export function globalGuid(identity: string): string | null {
  if (identity.startsWith('sha256:') || sharedPart(identity) !== null) return null
  const id = uuid.exec(identity)?.[1]?.toLowerCase()
  if (id !== undefined) return nilUuid.test(id) ? null : id
  if (/^(?:urn:[a-z0-9][a-z0-9-]+:|tag:[^,:]+,\d{4}[\d-]*:)\S+$/i.test(identity)) return identity
  if (!/^https?:\/\/\S+$/i.test(identity)) return null
  const address = identity.replace(/^https?:\/\/(?:www\.)?/i, '').replace(/\/$/, '')
  return /[/?]./.test(address) ? address : null
}
