import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { resume } from '../../src/editions/review/pause.ts'
import { seal } from '../../src/editions/seal.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { minute } from '../../src/time/clock.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
import { freePort, listens } from '../support/ports.ts'
import { newsFeed, openWorld, plainRender, publishTitles, subscribe, type World } from '../support/world.ts'

/** Postfix brings it (the package postfix of most systems); without it these tests are skipped, and counted as skipped. */
const program = ['/usr/sbin/smtp-sink', '/usr/bin/smtp-sink'].find((path) => existsSync(path))

const people = 3
const commands = ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.']
const faults: [string, string[]][] = [
  ['refuses', ['-B', '552 5.2.2 mailbox full', '-f']], // nobody is suppressed for it: they are needed again
  ['defers', ['-r']],
  ['disconnects', ['-q']],
  ['says 421 and disconnects', ['-Q']],
]

if (!program) console.warn('skipped: what smtp-sink does, for Postfix is not installed')

describe.skipIf(!program)('a real smtp-sink', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-sink-'))
  const store = sqliteUrl()
  let it: World
  let port: number
  let edition = 0

  beforeAll(async () => {
    port = await freePort()
    it = await openWorld({ storeUrl: store.url, relayPort: port, relay: { timeout: 5, connections: 2 } })
    await subscribe(it, people)
  })
  afterAll(async () => {
    await it.close()
    store.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  async function startSink(options: string[]): Promise<ChildProcess> {
    const asUser = userInfo().uid === 0 ? ['-u', 'nobody'] : []
    const sink = spawn(program ?? '', [...asUser, ...options, `127.0.0.1:${port}`, '50'], { stdio: 'ignore' })
    while (!(await listens(port))) if (sink.exitCode !== null) throw new Error(`smtp-sink ended with ${sink.exitCode}`)
    return sink
  }

  async function stop(sink: ChildProcess): Promise<void> {
    sink.kill()
    if (sink.exitCode === null && sink.signalCode === null) await once(sink, 'exit')
  }

  /** One pass through a sink with that fault, then as many as it takes through a good one. */
  async function sentThrough(options: string[]) {
    edition += 1
    it.clock.advance(minute) // a due time of its own
    await publishTitles(it, newsFeed, [`Story ${edition}`, `Report ${edition}`])
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    await seal({ ...it.app, render: plainRender }, id, it.digest)
    await approve(it.app, id, 'Ada')
    const faulty = await startSink(options)
    const sender = await openSender(it.app)
    await sendEdition(it.app, sender, id, { unknown: 'repeat' })
    await sender.close()
    await stop(faulty)
    if ((await editionById(it.app.db, id))?.status === 'paused') await resume(it.app, id, 'Ada') // it is about us
    const good = await startSink([])
    const ended = async () => (await editionById(it.app.db, id))?.status === 'sent'
    for (let pass = 0; pass < 3 && !(await ended()); pass++) {
      it.clock.advance(15 * minute)
      const next = await openSender(it.app)
      await sendEdition(it.app, next, id, { unknown: 'repeat' })
      await next.close()
    }
    await stop(good)
    expect(await ended()).toBe(true)
    return await countDeliveries(it.app.db, id)
  }

  const none = { queued: 0, sending: 0, accepted: 0, deferred: 0, refused: 0, unknown: 0, skipped: 0 }

  describe.each(faults)('that %s to everybody', (_, options) => {
    test.each(commands)('at %s: nobody is blamed, and once it works everybody has their copy', async (command) => {
      expect(await sentThrough([...options, command])).toEqual({ ...none, accepted: people })
    })
  })

  test.each([
    ['no ESMTP', ['-e']],
    ['no PIPELINING', ['-p']],
    ['a greeting of its own', ['-P']],
  ])('with %s takes every message whole', async (_, options) => {
    const inbox = mkdtempSync(join(folder, 'inbox-'))
    expect(await sentThrough([...options, '-u', userInfo().username, '-d', join(inbox, 'mail')])).toEqual({
      ...none,
      accepted: people,
    })
    const mails = readdirSync(inbox).map((file) => readFileSync(join(inbox, file), 'latin1'))
    expect(mails).toHaveLength(people)
    for (const mail of mails) expect(mail).toMatch(/--lw-[a-z2-7]+--\s*$/)
  })
})
