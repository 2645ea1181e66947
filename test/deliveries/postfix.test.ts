import { afterEach, describe, expect, test } from 'vitest'
import { trustLocalhost } from '../../src/demo/localhost-tls.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
import { approvedEdition } from '../support/edition.ts'
import { missingPostfixReason, startPostfix } from '../support/smtp/postfix.ts'
import { startRelay } from '../support/smtp/relay.ts'
import { openWorld, subscribe } from '../support/world.ts'

const people = 200
const missing = missingPostfixReason()
if (missing) console.warn(`skipped: sending through a real Postfix, for ${missing}`)

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Sends one edition, in one pass over five connections, through a Postfix with these settings. */
async function sentThrough(settings: Record<string, string>) {
  const mailboxes = await startRelay()
  closing.push(mailboxes.close)
  const postfix = await startPostfix(mailboxes.port, settings)
  closing.push(postfix.close)
  const { url, remove } = sqliteUrl()
  closing.push(async () => remove())
  const relay = { ...trustLocalhost, security: 'starttls', connections: 5, timeout: 20 }
  const it = await openWorld({ storeUrl: url, relayPort: postfix.port, relay })
  closing.push(it.close)
  await subscribe(it, people)
  const id = await approvedEdition(it)
  const sender = await openSender(it.app)
  closing.push(sender.close)
  const report = await sendEdition(it.app, sender, id, { unknown: 'repeat' })
  await postfix.emptied()
  return { report, copies: mailboxes.received.map(({ to }) => to), log: postfix.log() }
}

describe.skipIf(missing)('a real Postfix over STARTTLS', () => {
  test('is believed: all are accepted in one pass, nobody is unknown, each mailbox gets one copy', async () => {
    const { report, copies, log } = await sentThrough({})
    expect(report).toMatchObject({ finished: true, stopped: null, counts: { accepted: people, unknown: 0 } })
    expect(copies).toHaveLength(people)
    expect(new Set(copies).size).toBe(people)
    expect(log).toContain('TLS connection established')
  })

  test('that serves two connections at a time, where five are set, gets everything in one pass over the two', async () => {
    const { report, copies } = await sentThrough({
      smtpd_client_connection_count_limit: '2',
      smtpd_client_event_limit_exceptions: '', // or else this machine has no limit
    })
    expect(report).toMatchObject({ finished: true, stopped: null, counts: { accepted: people, unknown: 0 } })
    expect(new Set(copies).size).toBe(people)
    expect(copies).toHaveLength(people)
  })
})
