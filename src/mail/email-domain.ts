/** The part of an address after the last @, unchanged. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1)
}

/** The domains of these addresses in lower case, as the store compares them, each once. */
export function domainsOf(emails: string[]): string[] {
  return [...new Set(emails.map((email) => domainOf(email).toLowerCase()))]
}
