/** The rules of a robots.txt that are ours, in a form that can be kept. */
export type Rules = { path: string; allow: boolean }[]

/** The name by which a robots.txt speaks to us. */
const robotsToken = 'lastword'

/** RFC 9309 §2.5: at least so much is read. */
const maximumLength = 500 * 1024

/**
 * The rules of the groups that name us, else of those for everybody (RFC 9309 §2.2). A line that makes no sense, and any
 * record that is no rule, is passed over; groups that name the same agent are one.
 */
export function readRobots(text: string): Rules {
  const ours: Rules = []
  const everybodys: Rules = []
  let named = false
  let agents: string[] = []
  let inRules = false
  for (const line of text
    .slice(0, maximumLength)
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)) {
    const { key, value } = record(line)
    if (key === 'user-agent') {
      if (inRules) agents = []
      inRules = false
      agents.push(agentOf(value))
      named ||= agentOf(value) === robotsToken
    } else if (key === 'allow' || key === 'disallow') {
      inRules = true
      const rule = { path: normalised(value), allow: key === 'allow' }
      if (value === '') continue // an empty path forbids nothing
      if (agents.includes(robotsToken)) ours.push(rule)
      if (agents.includes('*')) everybodys.push(rule)
    }
  }
  return named ? ours : everybodys
}

/** Whether an address may be asked: the longest rule that matches decides, and of two as long the one that allows (§2.2.2). */
export function mayFetch(rules: Rules, address: string): boolean {
  const { pathname, search } = new URL(address)
  if (pathname === '/robots.txt') return true
  const path = normalised(pathname + search)
  let best = { length: -1, allow: true }
  for (const rule of rules) {
    if (rule.path.length < best.length || !matches(rule.path, path)) continue
    if (rule.path.length > best.length || rule.allow) best = { length: rule.path.length, allow: rule.allow }
  }
  return best.allow
}

function record(line: string): { key: string; value: string } {
  const plain = line.split('#', 1)[0] ?? ''
  const colon = plain.indexOf(':')
  if (colon < 0) return { key: '', value: '' }
  return { key: plain.slice(0, colon).trim().toLowerCase(), value: plain.slice(colon + 1).trim() }
}

/** The product token alone: `Lastword/1.0` is us. */
function agentOf(value: string): string {
  return value === '*' ? '*' : (/^[a-z_-]+/i.exec(value)?.[0].toLowerCase() ?? '')
}

/** Both sides in one spelling (§2.2.2): other letters and signs percent-encoded in capitals, unreserved ones plain. */
function normalised(path: string): string {
  return path
    .replace(/[^\x21-\x7e]/gu, (letter) => (letter.isWellFormed() ? encodeURIComponent(letter) : '%EF%BF%BD'))
    .replace(/%[\da-f]{2}/gi, (code) => {
      const letter = String.fromCharCode(Number.parseInt(code.slice(1), 16))
      return /[\w.~-]/.test(letter) ? letter : code.toUpperCase()
    })
}

/** `*` is anything, `$` at the end the end; from left to right, so that no pattern takes more than one pass for each part. */
function matches(pattern: string, path: string): boolean {
  const anchored = pattern.endsWith('$')
  const parts = (anchored ? pattern.slice(0, -1) : pattern).split('*')
  const [first = '', ...rest] = parts
  if (!path.startsWith(first)) return false
  let at = first.length
  const last = rest.pop()
  if (last === undefined) return !anchored || path.length === at
  for (const part of rest) {
    const found = path.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return anchored ? path.length - last.length >= at && path.endsWith(last) : path.indexOf(last, at) >= 0
}
