import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Config } from '../config/config.ts'
import { readSecretFile } from '../config/secret-file.ts'
import { AppError } from '../errors.ts'
import type { Signer } from './dkim.ts'

/**
 * The keys of `relay.dkim`, read and parsed once. Throws AppError `invalid` for one that cannot be read or used:
 * RSA of at least 1024 bits (RFC 8301 §3.2; 2048 is what to take) and Ed25519 (RFC 8463) can.
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
    throw new AppError('invalid', `${where} is no private key in PEM`, {
      hint: 'openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048, or -algorithm ed25519, makes one.',
    })
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519' || (type === 'rsa' && (details?.modulusLength ?? 0) >= 1024)) return key
  throw new AppError('invalid', `${where} is of a kind that mail does not know: expected RSA-2048 or Ed25519`)
}
