import { relaySetting } from '../../config/config.ts'
import { messageOf } from '../../errors.ts'
import { causeOf, replyMeaning } from '../reply-rules/answers.ts'
import { openTokens } from './auth/oauth2.ts'
import type { TokenStore } from './auth/refresh-token.ts'
import { credentialsFor } from './auth/sign-in.ts'
import type { Tokens } from './auth/tokens.ts'
import { openConnection } from './connect.ts'
import { type Change, ConnectError } from './connect-error.ts'
import { type EnvelopeReply, EnvelopeTrial } from './envelope-trial.ts'
import type { Listener } from './listener.ts'
import type { RelaySettings } from './relay-settings.ts'

/** `senders`: the usual envelope sender, then others that a relay may require. `size`: the message in bytes. */
export type CheckedEnvelope = { senders: [Sender, ...Sender[]]; to: string; size: number | undefined }

/** `change`: the settings of `relay` for this sender. */
export type Sender = { address: string; change: Change }

export type CheckOptions = {
  envelope: CheckedEnvelope
  /** The maximum number of simultaneous connections. */
  connections: number
  tokenStore?: TokenStore | undefined
  /** Receives the dialogue of the first connection. */
  listener?: Listener
  signal?: AbortSignal
}

export type RelayCheck = {
  /** Why this relay cannot take messages; undefined if it can. */
  problem: string | undefined
  /** False if our password or token is unavailable, so that we did not connect. */
  isAsked: boolean
  /** Remarks for the operator that do not prevent sending. */
  remarks: string[]
  /** The settings to change in this relay, and in `relay`. */
  change: Change
  envelopeChange: Change
}

/**
 * Checks a relay without sending a message: connects, signs in, sends the envelope of a message to the contact address,
 * and then RSET. With `connections` above 1 it opens further connections until one is refused; it never throws for a
 * relay's behaviour.
 */
export async function checkRelay(relay: RelaySettings, options: CheckOptions): Promise<RelayCheck> {
  const check: RelayCheck = { problem: undefined, isAsked: false, remarks: [], change: {}, envelopeChange: {} }
  const open: EnvelopeTrial[] = []
  let tokens: Tokens | undefined
  const cancel = () => void tokens?.close()
  options.signal?.addEventListener('abort', cancel)
  try {
    tokens = await openTokens(relay, options.tokenStore)
    await credentialsFor(relay, tokens)
    check.isAsked = true
    const connect = async (listener?: Listener) => {
      const connection = await openConnection(relay, { tokens, ...(listener && { listener }), ...pick(options) })
      const trial = new EnvelopeTrial(connection, listener)
      open.push(trial)
      return trial
    }
    const first = await connect(options.listener)
    const refusal = await checkEnvelope(relay, first, options.envelope, check)
    if (check.problem === undefined) checkSize(first, options.envelope, check)
    if (check.problem === undefined && options.connections > 1) {
      const tryOne = async () => (await connect()).try(usualEnvelope(options.envelope))
      await countConnections(relay, options.connections, () => refusalOf(tryOne, refusal), check)
    }
  } catch (error) {
    check.problem = messageOf(error)
    if (error instanceof ConnectError) check.change = { ...error.change }
  } finally {
    options.signal?.removeEventListener('abort', cancel)
    for (const trial of open) trial.quit()
    await tokens?.close()
  }
  return check
}

const pick = ({ signal }: CheckOptions) => (signal ? { signal } : {})

/** Sends the envelope. If its sender is refused, tries the others to find one that the relay accepts. */
async function checkEnvelope(
  relay: RelaySettings,
  trial: EnvelopeTrial,
  { senders: [usual, ...others], to, size }: CheckedEnvelope,
  check: RelayCheck,
): Promise<EnvelopeReply | undefined> {
  const refusal = await trial.try({ from: usual.address, to, size })
  if (refusal === undefined) await trial.reset()
  else if (isAboutRecipient(refusal))
    check.remarks.push(`it takes our sender and refuses the contact address ${to}: ${refusal.text}`)
  else {
    const taken = refusal.code >= 500 ? await firstTaken(trial, others, { to, size }) : undefined
    check.problem = taken
      ? wrongSender(usual, taken, refusal)
      : refusalText(relay, refusal, { from: usual.address, to })
    check.envelopeChange = taken?.change ?? {}
  }
  return refusal
}

async function firstTaken(trial: EnvelopeTrial, senders: Sender[], rest: { to: string; size: number | undefined }) {
  try {
    for (const sender of senders) {
      await trial.reset()
      if (!(await trial.try({ from: sender.address, ...rest }))) return sender
    }
  } catch {
    // Some relays close the connection after a refusal, which is no verdict on the other senders.
  }
  return undefined
}

function wrongSender(usual: Sender, taken: Sender, { text }: EnvelopeReply): string {
  const settings = Object.entries(taken.change).map(([name, value]) => `relay.${name}: ${value}`)
  return `it refuses the sender ${usual.address} and takes ${taken.address}: set ${settings.join(' and ')} (it said: ${text})`
}

/** The contact address may be unknown or greylisted although the relay accepts messages to others. */
function isAboutRecipient({ verb, code, text }: EnvelopeReply): boolean {
  return verb === 'RCPT' && code !== 421 && (code < 500 || replyMeaning(text).about === 'address')
}

function refusalText(
  relay: RelaySettings,
  { verb, code, text }: EnvelopeReply,
  { from, to }: { from: string; to: string },
) {
  const what = verb === 'MAIL' ? `our sender ${from}` : `the recipient ${to}`
  if (code < 500) return `it does not take ${what} now: ${text}`
  if (causeOf(text) === 'size') return `the last edition is too large for it: ${text}`
  if (code === 530 && /TLS/i.test(text))
    return `it wants TLS first: set ${relaySetting(relay, 'security')} to starttls (it said: ${text})`
  const user = relaySetting(relay, 'user')
  const signIn = relay.user === undefined ? `; if it wants a sign-in, set ${user}` : ''
  return `it refuses ${what}: ${text}${signIn}`
}

function checkSize({ maximumSize }: EnvelopeTrial, { size }: CheckedEnvelope, check: RelayCheck): void {
  if (maximumSize === undefined) return
  if (size === undefined) check.remarks.push(`it takes messages of at most ${kilobytes(maximumSize)}`)
  else if (size > maximumSize)
    check.problem = `it takes messages of at most ${kilobytes(maximumSize)}, and the last edition has ${kilobytes(size)}`
  else
    check.remarks.push(
      `it takes messages of at most ${kilobytes(maximumSize)}; the last edition has ${kilobytes(size)}`,
    )
}

const kilobytes = (bytes: number) => (bytes < 10_000 ? `${bytes} bytes` : `${Math.round(bytes / 1000)} kB`)

const usualEnvelope = ({ senders: [usual], to, size }: CheckedEnvelope) => ({ from: usual.address, to, size })

/** Keeps all connections open, since a relay may count those on which a message has begun. */
async function countConnections(
  relay: RelaySettings,
  maxConnections: number,
  oneMore: () => Promise<string | undefined>,
  check: RelayCheck,
): Promise<void> {
  for (let count = 1; count < maxConnections; count++) {
    const refusal = await oneMore()
    if (refusal === undefined) continue
    const setting = relaySetting(relay, 'connections')
    const taken = `it takes ${count} ${count === 1 ? 'connection' : 'connections'} at a time`
    const share =
      'for one process that sends; with more, divide it by their number. Connections that a process has open now are not counted'
    check.remarks.push(`${taken}: set ${setting}: ${count} (one more was refused: ${refusal}). That is ${share}`)
    check.change = { connections: count }
    return
  }
  check.remarks.push(`it takes ${maxConnections} connections at a time`)
}

/** Why a further connection is unusable; undefined if it works, or is refused at the same command as the first. */
async function refusalOf(
  tryOne: () => Promise<EnvelopeReply | undefined>,
  first: EnvelopeReply | undefined,
): Promise<string | undefined> {
  try {
    const refusal = await tryOne()
    return refusal && refusal.verb !== first?.verb ? refusal.text : undefined
  } catch (error) {
    return messageOf(error)
  }
}
