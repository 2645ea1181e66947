/** The rules of a robots.txt that apply to us, as they are stored. */
export type RobotsRules = { path: string; allow: boolean }[]

/** Our product token (RFC 9309 §2.2.1). */
const robotsToken = 'lastword'

/** The rest of a file is not read; RFC 9309 §2.5 requires at least 500 KiB. */
export const maximumRobotsBytes = 512 * 1024
/** The largest known files have some hundred. */
const maxRules = 5000
/** In characters, of a rule and of a URL's path. */
const maxPathLength = 2000

/**
 * The rules of the groups that name us, else of the groups for all robots (RFC 9309 §2.2). Lines that are not rules are
 * ignored; groups with the same agent are one.
 */
export function readRobots(text: string): RobotsRules {
  const reader = new GroupReader()
  const lines = text
    .slice(0, maximumRobotsBytes)
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)
  for (const line of lines) reader.read(parseLine(line))
  return reader.rules
}

class GroupReader {
  readonly #own: RobotsRules = []
  readonly #wildcard: RobotsRules = []
  /** Of the current group: our token and `*`, as far as it names them. */
  #agents: string[] = []
  #isNamed = false
  #isInRules = false

  get rules(): RobotsRules {
    return this.#isNamed ? this.#own : this.#wildcard
  }

  read({ key, value }: { key: string; value: string }): void {
    if (key === 'user-agent') this.#addAgent(productToken(value))
    if (key === 'allow' || key === 'disallow') this.#addRule(key === 'allow', value)
  }

  #addAgent(agent: string): void {
    if (this.#isInRules) this.#agents = []
    this.#isInRules = false
    if (agent === robotsToken || agent === '*') this.#agents.push(agent)
    this.#isNamed ||= agent === robotsToken
  }

  #addRule(allow: boolean, value: string): void {
    this.#isInRules = true
    if (value === '' || value.length > maxPathLength) return // an empty path forbids nothing
    const rule = { path: normalisedPath(value), allow }
    if (this.#agents.includes(robotsToken) && this.#own.length < maxRules) this.#own.push(rule)
    if (this.#agents.includes('*') && this.#wildcard.length < maxRules) this.#wildcard.push(rule)
  }
}

/** Rules prepared for matching many URLs. */
export type CompiledRules = { length: number; allow: boolean; anchored: boolean; parts: string[] }[]

export function compileRules(rules: RobotsRules): CompiledRules {
  return rules.slice(0, maxRules).map(({ path, allow }) => {
    const anchored = path.endsWith('$')
    return { length: path.length, allow, anchored, parts: (anchored ? path.slice(0, -1) : path).split('*') }
  })
}

/** Whether a URL may be fetched: the longest matching rule decides, and of equal lengths the one that allows (RFC 9309 §2.2.2). */
export function mayFetch(rules: CompiledRules, address: string): boolean {
  const { pathname, search } = new URL(address)
  if (pathname === '/robots.txt') return true
  const path = normalisedPath((pathname + search).slice(0, maxPathLength))
  let best = { length: -1, allow: true }
  for (const rule of rules) {
    if (rule.length < best.length || (rule.length === best.length && !rule.allow)) continue
    if (ruleMatches(rule, path)) best = rule
  }
  return best.allow
}

function parseLine(line: string): { key: string; value: string } {
  const plain = line.split('#', 1)[0] ?? ''
  const colon = plain.indexOf(':')
  if (colon < 0) return { key: '', value: '' }
  return { key: plain.slice(0, colon).trim().toLowerCase(), value: plain.slice(colon + 1).trim() }
}

/** The token without its version, in small letters: `Lastword/1.0` → `lastword`. */
function productToken(value: string): string {
  return value === '*' ? '*' : (/^[a-z_-]+/i.exec(value)?.[0].toLowerCase() ?? '')
}

/** Non-ASCII characters percent-encoded, with capital hex digits; unreserved characters decoded (RFC 9309 §2.2.2). */
function normalisedPath(path: string): string {
  return path
    .replace(/[^\x21-\x7e]/gu, (character) => (character.isWellFormed() ? encodeURIComponent(character) : '%EF%BF%BD'))
    .replace(/%[\da-f]{2}/gi, (code) => {
      const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
      return /[\w.~-]/.test(character) ? character : code.toUpperCase()
    })
}

/** `*` matches any text, a final `$` the end of the path. Linear: each part is found once, from left to right. */
function ruleMatches({ anchored, parts }: CompiledRules[number], path: string): boolean {
  const [first = ''] = parts
  if (!path.startsWith(first)) return false
  let at = first.length
  if (parts.length === 1) return !anchored || path.length === at
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index] ?? ''
    const found = path.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  const last = parts.at(-1) ?? ''
  return anchored ? path.length - last.length >= at && path.endsWith(last) : path.indexOf(last, at) >= 0
}
