const mask = '********'

/** Parameters of a connection that give no access (libpq and node-postgres). What is not listed here is masked. */
const harmlessParameters = new Set(
  `application_name channel_binding client_encoding connect_timeout connection_limit connectiontimeoutmillis database
  dbname encoding fallback_application_name gssencmode host hostaddr idle_in_transaction_session_timeout
  idletimeoutmillis keepalives keepalives_count keepalives_idle keepalives_interval lock_timeout max options pool_size
  port query_timeout schema search_path ssl sslcert sslcrl sslmode sslrootcert sslsni statement_timeout
  target_session_attrs tcp_user_timeout user uselibpqcompat`.split(/\s+/),
)

/**
 * An address without what gives access: the password behind a user's name, and each parameter that is not known to be
 * harmless. Where the address is broken, so that a piece of the password may be anywhere, all behind the name is masked.
 */
export function maskUrl(url: string): string {
  const [, begin = '', rest = ''] = /^(\w+:\/\/)(.*)$/s.exec(url) ?? []
  if (begin === '') return url // no address with a user: file:path
  if (hasMisplacedPassword(url)) return `${begin}${/^[^:@/?#]*/.exec(rest)?.[0] ?? ''}:${mask}`
  const [place = '', query] = afterLastAt(rest).split(/\?(.*)/s)
  const shown = begin + userOf(rest) + place
  return query === undefined ? shown : `${shown}?${query.split('&').map(maskParameter).join('&')}`
}

/** To the last @: a password may hold one. A name may as well. */
function userOf(rest: string): string {
  const at = rest.lastIndexOf('@', queryStart(rest))
  if (at < 0) return ''
  const colon = rest.indexOf(':')
  return colon >= 0 && colon < at ? `${rest.slice(0, colon)}:${mask}@` : rest.slice(0, at + 1)
}

const afterLastAt = (rest: string) => rest.slice(rest.lastIndexOf('@', queryStart(rest)) + 1)

/** Where the parameters begin: the ? behind which nothing but `name=value` follows. */
function queryStart(rest: string): number {
  const found = /\?[\w.%-]+=[^?]*$/.exec(rest)
  return found ? found.index : rest.length
}

function maskParameter(parameter: string): string {
  const name = parameter.split('=', 1)[0] ?? ''
  return harmlessParameters.has(decoded(name).toLowerCase()) ? parameter : `${name}=${mask}`
}

/**
 * Whether what follows the user's name cannot be a password, a host and parameters, because a sign in the password ended
 * it there: a fragment, a port that is no number, a query that is no list of parameters.
 */
export function hasMisplacedPassword(url: string): boolean {
  const rest = url.replace(/^\w+:\/\//, '')
  if (rest === url || !rest.includes(':')) return false
  const behind = afterLastAt(rest)
  const [authority = '', query] = behind.split(/\?(.*)/s)
  const host = authority.split('/', 1)[0] ?? ''
  const port = /^(?:\[[^\]]*\]|[^:[\]]*):(.*)$/s.exec(host)?.[1]
  if (authority.includes('#') || (port !== undefined && !/^\d*$/.test(port))) return true
  return query !== undefined && !query.split('&').every((one) => /^[\w.%-]+=[^#]*$/.test(one))
}

/** Every text of an address that gives access, as it is written and as it is meant. */
export function findUrlSecrets(url: string): string[] {
  const rest = url.replace(/^\w+:\/\//, '')
  if (rest === url) return []
  const at = rest.lastIndexOf('@', queryStart(rest))
  const colon = rest.indexOf(':')
  const isBehindName = colon >= 0 && colon < at
  const password = hasMisplacedPassword(url) ? rest.slice(colon + 1) : isBehindName ? rest.slice(colon + 1, at) : ''
  const values = rest
    .slice(queryStart(rest) + 1)
    .split('&')
    .map((parameter) => parameter.split(/=(.*)/s))
    .filter(([name = '']) => !harmlessParameters.has(decoded(name).toLowerCase()))
    .map(([, value = '']) => value)
  return [password, ...values].flatMap((secret) => [...new Set([secret, decoded(secret)])]).filter((one) => one !== '')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // an escape that is none
  }
}
