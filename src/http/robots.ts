/** The rules of a robots.txt that are ours, in a form that can be kept. */
export type RobotsRules = { path: string; allow: boolean }[]

/** The name by which a robots.txt speaks to us. */
const robotsToken = 'lastword'

/** Bytes of a robots.txt that are read: RFC 9309 §2.5 asks for 500 KiB at least. */
export const maximumRobotsBytes = 512 * 1024
/** What a file has beyond these is not read; the largest that anybody serves have some hundred rules. */
const maximumRules = 5000
/** In characters, of a rule and of the part of an address that it is compared with. */
const maxPathLength = 2000

/**
 * The rules of the groups that name us, else of those for everybody (RFC 9309 §2.2). A line that makes no sense, and any
 * record that is no rule, is passed over; groups that name the same agent are one.
 */
export function readRobots(text: string): RobotsRules {
  const ownRules: RobotsRules = []
  const wildcardRules: RobotsRules = []
  let isNamed = false
  let agents: string[] = []
  let isInRules = false
  for (const line of text
    .slice(0, maximumRobotsBytes)
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)) {
    const { key, value } = parseLine(line)
    if (key === 'user-agent') {
      if (isInRules) agents = []
      isInRules = false
      const agent = productToken(value)
      if (agent === robotsToken || agent === '*') agents.push(agent)
      isNamed ||= agent === robotsToken
    } else if (key === 'allow' || key === 'disallow') {
      isInRules = true
      if (value === '' || value.length > maxPathLength) continue // an empty path forbids nothing
      const rule = { path: normalisedPath(value), allow: key === 'allow' }
      if (agents.includes(robotsToken) && ownRules.length < maximumRules) ownRules.push(rule)
      if (agents.includes('*') && wildcardRules.length < maximumRules) wildcardRules.push(rule)
    }
  }
  return isNamed ? ownRules : wildcardRules
}

/** Rules in the form in which addresses are compared with them: made once, for many addresses. */
export type CompiledRules = { length: number; allow: boolean; anchored: boolean; parts: string[] }[]

export function compileRules(rules: RobotsRules): CompiledRules {
  return rules.slice(0, maximumRules).map(({ path, allow }) => {
    const anchored = path.endsWith('$')
    return { length: path.length, allow, anchored, parts: (anchored ? path.slice(0, -1) : path).split('*') }
  })
}

/** Whether an address may be asked: the longest rule that matches decides, and of two as long the one that allows (§2.2.2). */
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

/** The product token alone: `Lastword/1.0` is us. */
function productToken(value: string): string {
  return value === '*' ? '*' : (/^[a-z_-]+/i.exec(value)?.[0].toLowerCase() ?? '')
}

/** Both sides in one spelling (§2.2.2): other letters and signs percent-encoded in capitals, unreserved ones plain. */
function normalisedPath(path: string): string {
  return path
    .replace(/[^\x21-\x7e]/gu, (letter) => (letter.isWellFormed() ? encodeURIComponent(letter) : '%EF%BF%BD'))
    .replace(/%[\da-f]{2}/gi, (code) => {
      const letter = String.fromCharCode(Number.parseInt(code.slice(1), 16))
      return /[\w.~-]/.test(letter) ? letter : code.toUpperCase()
    })
}

/** `*` is anything, `$` at the end the end; from left to right, so that no pattern takes more than one pass for each part. */
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
