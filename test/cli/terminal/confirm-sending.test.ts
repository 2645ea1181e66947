import { spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FeedHost, rss, startFeedHost } from '../../support/feeds.ts'
import { type Home, makeHome } from '../../support/home.ts'
import { startRelay, type TestRelay } from '../../support/smtp/relay.ts'

/** Of util-linux: it runs a command on a terminal of its own. That of other systems has other options. */
const hasTerminals = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false

describe.skipIf(!hasTerminals)('on a terminal', () => {
  let host: FeedHost
  let relay: TestRelay
  let it: Home

  beforeEach(async () => {
    host = await startFeedHost()
    host.answer('/latest.xml', rss(['Council', 'Trams', 'Harbour']))
    host.answer('/last-word.xml', rss([]))
    relay = await startRelay()
    it = makeHome({ relayPort: relay.port, feeds: host.url, allow: [new URL(host.url).host] })
    it.write('people.csv', 'email\nmira@readers.example\njo@readers.example\n')
    await it.lastword('subscribers', 'import', 'people.csv')
  })
  afterEach(async () => {
    it.remove()
    await relay.close()
    await host.close()
  })

  /** Runs the command, and types that once it asks. Returns what stood on the terminal, and the exit code. */
  async function typing(typed: string, ...args: string[]): Promise<{ code: number; shown: string }> {
    const command = [resolve('src/lastword'), ...args].join(' ')
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], { cwd: it.folder })
    const { promise: ended, resolve: end } = Promise.withResolvers<number>()
    child.on('close', (code) => end(code ?? -1))
    let shown = ''
    let isTyped = false
    for await (const piece of child.stdout) {
      shown += piece
      if (isTyped || !shown.includes('[y/N]')) continue
      isTyped = true
      child.stdin.write(typed)
    }
    return { code: await ended, shown }
  }

  const question = 'Send weekly 1, “Council”, to 2 people? [y/N]'
  const status = async () => JSON.parse((await it.lastword('edition', 'list', '--json')).stdout.trim()).status
  const endOfInput = '\u0004'

  test('run sends nothing after no, nor when the input ends, and sends after yes', async () => {
    for (const typed of ['n\r', endOfInput]) {
      const declined = await typing(typed, 'run', 'weekly')
      expect(declined).toMatchObject({ code: 1, shown: expect.stringContaining(question) })
      expect(declined.shown).toContain('Nothing was sent. weekly 1 waits')
      expect(relay.accepted).toEqual([])
      expect(await status()).toBe('sealed')
    }
    const agreed = await typing('y\r', 'run', 'weekly')
    expect(agreed).toMatchObject({ code: 0, shown: expect.stringContaining(question) })
    expect(agreed.shown).toContain('weekly 1 is sent: 2 accepted')
    expect(relay.accepted).toHaveLength(2)
  })

  test('edition approve approves after yes alone, and edition send sends after yes alone', async () => {
    await typing('n\r', 'run', 'weekly')
    const [approve, send] = [
      ['edition', 'approve', 'weekly'],
      ['edition', 'send', 'weekly'],
    ]
    const declined = await typing('n\r', ...approve)
    expect(declined).toMatchObject({ code: 1, shown: expect.stringContaining(question) })
    expect(declined.shown).toContain('weekly 1 was not approved.')
    expect(await status()).toBe('sealed')
    const agreed = await typing('y\r', ...approve)
    expect(agreed).toMatchObject({ code: 0, shown: expect.stringContaining(question) })
    expect(await status()).toBe('approved')
    const unsent = await typing('n\r', ...send)
    expect(unsent).toMatchObject({ code: 1, shown: expect.stringContaining('Nothing was sent. weekly 1 waits.') })
    expect(relay.accepted).toEqual([])
    expect((await typing('y\r', ...send)).shown).toContain('weekly 1 is sent: 2 accepted')
    expect(relay.accepted).toHaveLength(2)
  })

  test('--yes asks nothing', async () => {
    const { code, shown } = await typing('n\r', 'run', 'weekly', '--yes')
    expect(shown).not.toContain('[y/N]')
    expect(shown).toContain('weekly 1 is sent: 2 accepted')
    expect(code).toBe(0)
  })
})
