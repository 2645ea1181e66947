import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { readSecretFile } from '../config/secret-file.ts'
import { AppError } from '../errors.ts'
import type { Signer } from './dkim.ts'

/**
 * Reads and parses the keys of `relay.dkim`: RSA of at least 1024 bits (RFC 8301 §3.2; 2048 is recommended) or Ed25519
 * (RFC 8463). Throws AppError `invalid` for any other key.
 */
export function loadSigners(keys: Config['relay']['dkim']): Signer[] {
  return keys.map(({ domain, selector, key, keyFile }) => {
    const where = `relay.dkim: the key ${selector}._domainkey.${domain}`
    return { domain, selector, key: parseKey(where, key ?? readSecretFile(keyFile ?? '', where)) }
  })
}

function parseKey(where: string, pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new AppError('invalid', `${where} is not a private key in PEM format`, {
      hint: 'Make one with: openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 (or -algorithm ed25519).',
    })
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519' || (type === 'rsa' && (details?.modulusLength ?? 0) >= 1024)) return key
  throw new AppError('invalid', `${where} is of an unsupported kind: expected RSA-2048 or Ed25519`)
}
