/** `drop` closes the connection; a text is the reply instead of the usual one. */
export type Fault = 'drop' | string | undefined

/** The share of commands of each kind that fail. */
const faultShares = { drop: 0.05, defer: 0.2, closing: 0.01 }
/** Each lost attempt uses up a retry of the sender, and no recipient may run out of them. */
const maxLostAttempts = 2

/** Chooses at random which commands of the drill fail. */
export class DrillFaults {
  readonly #lostAttempts = new Map<string, number>()

  /** `verb` is the SMTP command, `dot` for the end of a message. */
  at(verb: string, recipient: string): Fault {
    const isDropped = Math.random() < faultShares.drop
    if (isDropped && verb !== 'dot') return 'drop'
    if (verb === 'MAIL' && Math.random() < faultShares.closing) return '421 4.3.2 closing'
    const isDeferred = verb === 'RCPT' && Math.random() < faultShares.defer
    const lost = this.#lostAttempts.get(recipient) ?? 0
    if (!(isDropped || isDeferred) || lost >= maxLostAttempts) return undefined
    this.#lostAttempts.set(recipient, lost + 1)
    return isDropped ? 'drop' : '451 4.7.1 come back later'
  }
}
