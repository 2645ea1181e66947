import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { expect } from 'vitest'

/* A verifier, written from RFC 6376 and RFC 8463 and from nothing of ours. */

type Signature = { tags: Record<string, string>; field: string }

export function signaturesIn(message: string): Signature[] {
  return fieldsOf(message)
    .filter((field) => /^dkim-signature:/i.test(field))
    .map((field) => {
      const list = field.slice(field.indexOf(':') + 1).split(';')
      const tags = list.map((tag) => [
        tag.slice(0, tag.indexOf('=')).trim(),
        tag.slice(tag.indexOf('=') + 1).replace(/\s/g, ''),
      ])
      return { tags: Object.fromEntries(tags), field }
    })
}

/** Of each signature its selector, and whether it is that of the domain's key over the message as it is. */
export function verifiedBy(message: string, publicKey: (selector: string) => KeyObject, domain: string) {
  return signaturesIn(message).map(({ tags, field }) => {
    expect(tags).toMatchObject({ v: '1', c: 'relaxed/relaxed', d: domain })
    const body = message.slice(message.indexOf('\r\n\r\n') + 4)
    const canonical = `${body
      .split('\r\n')
      .map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
      .join('\r\n')
      .replace(/(\r\n)+$/, '')}\r\n`
    const bodyHash = createHash('sha256').update(canonical, 'latin1').digest('base64')
    const left = fieldsOf(message).filter((one) => one !== field)
    let data = ''
    for (const name of tags.h?.split(':') ?? []) {
      const at = left.findLastIndex((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      if (at >= 0) data += `${canonicalField(left.splice(at, 1)[0] ?? '')}\r\n`
    }
    data += canonicalField(field.replace(/(\bb=)[^;]*$/, '$1'))
    const bytes = Buffer.from(data, 'latin1')
    const signature = Buffer.from(tags.b ?? '', 'base64')
    const key = createPublicKey(publicKey(tags.s ?? '').export({ type: 'spki', format: 'pem' }))
    const genuine =
      tags.a === 'ed25519-sha256'
        ? verify(null, createHash('sha256').update(bytes).digest(), key, signature)
        : verify('sha256', bytes, key, signature)
    return { selector: tags.s, valid: genuine && bodyHash === tags.bh }
  })
}

export function fieldsOf(message: string): string[] {
  return message.slice(0, message.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/)
}

function canonicalField(field: string): string {
  const [, name = '', value = ''] = /^([^:]*):([\s\S]*)$/.exec(field) ?? []
  return `${name.trim().toLowerCase()}:${value
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()}`
}
