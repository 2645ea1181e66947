import { domainToASCII } from 'node:url'
import { invisibleClass } from '../text/characters.ts'
import { describeInvisible, trimInvisible } from './invisible.ts'

/**
 * Parses an email address: trimmed, its domain in ASCII (RFC 5891) and lower case, its local part unchanged. Undefined for
 * any other text: RFC 5321 §4.1.2 with at most 254 octets and any script in the local part (RFC 6531), but without quoted
 * local parts, comments and address literals, which no subscriber has.
 */
export function parseAddress(text: string): string | undefined {
  const match = /^([^\s"(),:;<>@[\]\\]+)@([^\s@]+)$/u.exec(text.trim())
  const [, local, given] = match ?? []
  if (
    !local ||
    !given ||
    /^\.|\.\.|\.$/.test(local) ||
    invisibleCharacters.test(local) ||
    invisibleCharacters.test(given)
  )
    return undefined
  if (/[/\\?#%:]/.test(given)) return undefined // domainToASCII would read a URL and cut it here
  const domain = domainToASCII(given)
  if (!/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(domain)) return undefined
  const address = `${local}@${domain}`
  return Buffer.byteLength(local) <= 64 && Buffer.byteLength(address) <= 254 ? address : undefined
}

/** Equal for two addresses of the same person: case never distinguishes subscribers. */
export function addressKey(address: string): string {
  return address.normalize('NFC').toLowerCase()
}

/** Includes the replacement character that a wrong encoding leaves. */
const invisibleCharacters = new RegExp(`[${invisibleClass}\\ufffd]`, 'u')

/** The address in a cell of a file with the name beside it, or the problem. */
export type CellAddress = { email: string; name: string } | { problem: string }

/**
 * Reads the address in a cell of a spreadsheet in any form that people paste: `Name <a@b>` (RFC 5322 §3.4), `a@b (Name)`,
 * `mailto:a@b?subject=…` (RFC 6068), with Excel's apostrophe or `=`, punctuation or invisible characters around it.
 * A cell with two addresses is a problem.
 */
export function readAddress(cell: string): CellAddress {
  const text = trimInvisible(cell.slice(0, maxCellLength))
  if (text === '') return { problem: 'has no email address' }
  const { name, address } = splitName(text)
  const bare = bareAddress(address)
  const several = addressesIn(`${name} ${bare}`).size
  if (several > 1) return { problem: `has ${several} addresses: give each its own row` }
  const email = cell.length > maxCellLength ? undefined : parseAddress(bare)
  if (email && !/^[+-]/.test(bare)) return { email, name: name.includes('@') ? '' : name }
  if (email) return { problem: `begins with "${bare[0]}", as a formula does: write the address without it` }
  const hidden = bare.includes('@') ? describeInvisible(bare) : undefined
  return { problem: hidden ?? `"${text.slice(0, 100)}" is not an email address` }
}

/** Leaves room for a name beside an address of 254 characters. A longer cell has no address, and its end is not read. */
const maxCellLength = 1000

function splitName(text: string): { name: string; address: string } {
  const [, before = '', within] = /^([^<>]*)<([^<>]*)>[\s.,;]*$/u.exec(text) ?? []
  if (within !== undefined)
    return { name: trimInvisible(before.trim().replace(/^["'\s]+|["'\s]+$/g, '')), address: within }
  const [, address, comment] = /^(\S+@\S+)\s+\(([^()]*)\)$/u.exec(text) ?? []
  return address && comment !== undefined ? { name: comment.trim(), address } : { name: '', address: text }
}

/** The address without surrounding characters that cannot be part of it. */
function bareAddress(text: string): string {
  const trimmed = trimInvisible(text)
    .replace(/^[<("'=]+/u, '')
    .replace(/[>)"',;.]+$/u, '')
  if (!/^mailto:/i.test(trimmed)) return trimInvisible(trimmed)
  const [path = ''] = trimmed.slice('mailto:'.length).split('?')
  try {
    return trimInvisible(decodeURIComponent(path))
  } catch {
    return trimInvisible(path)
  }
}

function addressesIn(text: string): Set<string> {
  const found = text.split(/[\s<>(),;:"'|/&]+/u).filter((word) => /^.+@./su.test(word))
  return new Set(found.map((one) => addressKey(one.replace(/\.+$/, ''))))
}
