const mask = '********'

/** Connection parameters without secrets (libpq and node-postgres); all others are masked. */
const harmlessParameters = new Set(
  `application_name channel_binding client_encoding connect_timeout connection_limit connectiontimeoutmillis database
  dbname encoding fallback_application_name gssencmode host hostaddr idle_in_transaction_session_timeout
  idletimeoutmillis keepalives keepalives_count keepalives_idle keepalives_interval lock_timeout max options pool_size
  port query_timeout schema search_path ssl sslcert sslcrl sslmode sslrootcert sslsni statement_timeout
  target_session_attrs tcp_user_timeout user uselibpqcompat`.split(/\s+/),
)

/**
 * Masks the password of a URL and each parameter that may be a secret. In a broken URL, where parts of the password may be
 * anywhere, everything after the user name is masked.
 */
export function maskUrl(url: string): string {
  const [, begin = '', rest = ''] = /^(\w+:\/\/)(.*)$/s.exec(url) ?? []
  if (begin === '') return url // file:path
  if (hasMisplacedPassword(url)) return `${begin}${/^[^:@/?#]*/.exec(rest)?.[0] ?? ''}:${mask}`
  const [place = '', query] = afterLastAt(rest).split(/\?(.*)/s)
  const shown = begin + userOf(rest) + place
  return query === undefined ? shown : `${shown}?${query.split('&').map(maskParameter).join('&')}`
}

/** Up to the last @, because user name and password may contain one. */
function userOf(rest: string): string {
  const at = rest.lastIndexOf('@', queryStart(rest))
  if (at < 0) return ''
  const colon = rest.indexOf(':')
  return colon >= 0 && colon < at ? `${rest.slice(0, colon)}:${mask}@` : rest.slice(0, at + 1)
}

const afterLastAt = (rest: string) => rest.slice(rest.lastIndexOf('@', queryStart(rest)) + 1)

/** The index of the ? after which only `name=value` follows, or the length. */
function queryStart(rest: string): number {
  const found = /\?[\w.%-]+=[^?]*$/.exec(rest)
  return found ? found.index : rest.length
}

function maskParameter(parameter: string): string {
  const name = parameter.split('=', 1)[0] ?? ''
  return harmlessParameters.has(decoded(name).toLowerCase()) ? parameter : `${name}=${mask}`
}

/**
 * Whether a special character in the password breaks the URL: it has a fragment, a port that is not a number, or a query
 * that is not a list of parameters.
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

/** The secrets in a URL, as written and percent-decoded. */
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
    return text // an invalid escape
  }
}
