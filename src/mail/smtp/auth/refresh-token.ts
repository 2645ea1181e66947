import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../../../store/schema.ts'
import { acquireLease, loadSetting, releaseLease, saveSetting } from '../../../store/system/settings.ts'
import { addMs, second, systemClock } from '../../../time/clock.ts'

/** The store for refresh tokens, and the installation's secret that encrypts them. */
export type TokenStore = { db: Db; secret: string }

/** Longer than the timeout of a token endpoint: a process that holds the lease for longer has died. */
const leaseMs = 60 * second
const pollMs = 50

/**
 * The refresh token of one relay, for endpoints that rotate refresh tokens and accept only the newest (RFC 6749 §6,
 * RFC 9700 §4.14.2). The newest is stored with AES-256-GCM, by relay, client and configured token, so that a newly
 * configured token replaces it.
 */
export class RefreshToken {
  readonly #store: TokenStore
  readonly #name: string
  readonly #configured: string
  readonly #owner = randomBytes(9).toString('hex')
  /** A token from the endpoint that is not stored yet, because the store was unavailable. */
  #unsaved: string | undefined

  constructor(
    store: TokenStore,
    { relay, clientId, configured }: { relay: string; clientId: string; configured: string },
  ) {
    this.#store = store
    this.#configured = configured
    this.#name = `refresh token of ${relay} ${clientId} ${createHash('sha256').update(configured).digest('hex').slice(0, 32)}`
  }

  /** The newest token that any process received. */
  async newest(): Promise<string> {
    if (this.#unsaved !== undefined) {
      await this.save(this.#unsaved)
      return this.#unsaved ?? (await this.newest())
    }
    const sealed = await loadSetting(this.#store.db, this.#name)
    return (sealed === undefined ? undefined : this.#open(sealed)) ?? this.#configured
  }

  /** Stores a token from the endpoint. If the store is unavailable, memory keeps the token until it can be stored. */
  async save(token: string): Promise<void> {
    this.#unsaved = token
    try {
      await saveSetting(this.#store.db, this.#name, this.#seal(token))
      this.#unsaved = undefined
    } catch {
      // The next call tries again; the token must not be lost.
    }
  }

  /**
   * Runs the work while no other process or connection refreshes this token, since some endpoints revoke all tokens
   * when one is used twice. The others wait, and then read the new token.
   */
  async alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { db } = this.#store
    const lease = { name: `${this.#name}: in use`, owner: this.#owner }
    const take = () => {
      const now = systemClock.now()
      return acquireLease(db, { ...lease, now, until: addMs(now, leaseMs) })
    }
    while (!(await take())) await sleep(pollMs, undefined, { signal })
    try {
      return await work()
    } finally {
      await releaseLease(db, lease).catch(() => {}) // the lease expires
    }
  }

  #key(): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#store.secret, '', 'oauth2 refresh token', 32))
  }

  /** Nonce (12 bytes), authentication tag (16 bytes) and text, in base64url. */
  #seal(token: string): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key(), nonce).setAAD(Buffer.from(this.#name))
    const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
  }

  /** Undefined if the text was encrypted with another secret. */
  #open(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url')
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key(), bytes.subarray(0, 12))
        .setAAD(Buffer.from(this.#name))
        .setAuthTag(bytes.subarray(12, 28))
      return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return undefined
    }
  }
}
