/** Endings of names in local networks (RFC 6761, RFC 6762, RFC 8375, and those of routers and clouds). */
const localEndings = /\.(localhost|localdomain|local|lan|home|corp|private|intranet|internal|arpa|test|invalid)$/i

/**
 * The default name for EHLO (RFC 5321 §4.1.4): the host name if it is a full public name, else the domain of `contact`,
 * which has an MX record. Many servers refuse `[127.0.0.1]` or a local name.
 */
export function defaultHelo(hostname: string, contact: string): string {
  const isFull = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(hostname) && !/^[\d.]+$/.test(hostname)
  if (isFull && !localEndings.test(hostname)) return hostname
  return contact.slice(contact.lastIndexOf('@') + 1)
}
