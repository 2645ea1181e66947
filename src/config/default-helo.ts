/** Endings of names that only a local network knows (RFC 6761, RFC 6762, RFC 8375, and what routers and clouds give out). */
const localEndings = /\.(localhost|localdomain|local|lan|home|corp|private|intranet|internal|arpa|test|invalid)$/i

/**
 * The name for EHLO (RFC 5321 §4.1.4) where the settings give none. It is the host's own name if that is a full one,
 * because it has an address record. Otherwise it is the domain of `contact`, which has an MX record: servers that look
 * the name up accept both, and many refuse `[127.0.0.1]` or a name of the local network.
 */
export function defaultHelo(hostname: string, contact: string): string {
  const isFull = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(hostname) && !/^[\d.]+$/.test(hostname)
  if (isFull && !localEndings.test(hostname)) return hostname
  return contact.slice(contact.lastIndexOf('@') + 1)
}
