import { resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { rss, startFeedHost } from '../support/feeds.ts'
import { makeHome } from '../support/home.ts'
import { startRelay } from '../support/smtp/relay.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const item = (title: string) =>
  `<item><title>${title}</title><link>https://magazine.example/one</link><guid>1</guid></item>`

test('a correction is listed, accepted with words, told of by show and explain, and printed by the next run', async () => {
  const [feeds, relay] = [await startFeedHost(), await startRelay()]
  const it = makeHome({ relayPort: relay.port, feeds: feeds.url, allow: [`127.0.0.1:${feeds.port}`] })
  closing.push(feeds.close, relay.close, it.remove)
  feeds.answer('/latest.xml', rss([], { channel: item('Council opens its books') }))
  feeds.answer('/last-word.xml', rss(['Opinion']))
  it.write('people.csv', 'email\nmira@readers.example\n')
  await it.lastword('subscribers', 'import', 'people.csv')
  await it.lastword('run', 'weekly')
  feeds.answer('/latest.xml', rss([], { channel: item('Council refuses\u202e to open its books') }))
  expect((await it.lastword('feeds', 'refresh')).stderr).toContain(
    '1 corrections proposed: lastword corrections list shows them',
  )

  const listed = await it.lastword('corrections', 'list', 'weekly', '--json')
  const { id, ...row } = JSON.parse(listed.stdout)
  expect(row).toMatchObject({ status: 'proposed', said: 'Council opens its books', digest: 'weekly', number: 1 })
  const accepted = await it.lastword('corrections', 'accept', id, '--words', 'It refused.', '--who', 'Ada')
  expect(accepted).toMatchObject({ code: 0, stdout: expect.stringContaining('accepted by Ada, for the next edition') })
  expect(await it.lastword('corrections', 'dismiss', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is accepted by Ada, for the next edition: it cannot be dismissed'),
  })
  feeds.answer('/latest.xml', rss(['Three', 'Four']))
  await it.lastword('run', 'weekly')
  expect(relay.accepted.at(-1)?.raw.toString()).toContain('It refused.')
  const line = 'accepted by Ada, printed in edition 2 (sent)'
  expect((await it.lastword('edition', 'explain', 'https://magazine.example/one')).stdout).toContain(line)
  expect((await it.lastword('edition', 'show', 'weekly:2')).stdout).toContain(
    'prints a correction of edition 1, “Council opens its books”: It refused.',
  )
  expect((await it.lastword('corrections', 'list')).stdout).toBe('No corrections to review.\n')
  expect(await it.lastword('corrections', 'reopen', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Withdraw it, with the reason'),
  })
  expect((await it.lastword('corrections', 'withdraw', id)).code).not.toBe(0) // without a reason
  expect((await it.lastword('corrections', 'withdraw', id, '--reason', 'They did open.')).code).toBe(0)
  expect((await it.lastword('corrections', 'list')).stdout).toContain(
    'An earlier correction, “It refused.”, does not hold: They did open.',
  )
})

test('a reworded headline is counted under the other changes, and only --all lists it', async () => {
  const [feeds, relay] = [await startFeedHost(), await startRelay()]
  const it = makeHome({ relayPort: relay.port, feeds: feeds.url, allow: [`127.0.0.1:${feeds.port}`] })
  closing.push(feeds.close, relay.close, it.remove)
  feeds.answer('/latest.xml', rss([], { channel: item('Council opens its books (4 comments)') }))
  feeds.answer('/last-word.xml', rss(['Opinion']))
  it.write('people.csv', 'email\nmira@readers.example\n')
  await it.lastword('subscribers', 'import', 'people.csv')
  await it.lastword('run', 'weekly')
  feeds.answer('/latest.xml', rss([], { channel: item('Council opens its books (31 comments)') }))
  expect((await it.lastword('feeds', 'refresh')).stderr).not.toContain('corrections proposed')
  expect((await it.lastword('corrections', 'list', '--all')).stdout).toBe('No corrections to review.\n')

  feeds.answer('/latest.xml', rss([], { channel: item('Council opens its books to everyone') }))
  expect((await it.lastword('feeds', 'refresh')).stderr).not.toContain('corrections proposed')
  expect((await it.lastword('corrections', 'list')).stdout).toBe(
    'No corrections to review.\nOther changes (1): reworded headlines and stories that went on. --all lists them.\n',
  )
  expect((await it.lastword('corrections', 'list', '--json')).stdout).toBe('')
  expect((await it.lastword('corrections', 'list', '--all')).stdout).toContain('waits for an editor (rewording)')
})

test('what is read from a page is shown, and nothing is kept', async () => {
  const it = makeHome()
  closing.push(it.remove)
  const page = resolve('fixtures/corrections/amended.html')
  const { code, stdout } = await it.lastword('corrections', 'test', page, 'no-such-file.html')
  expect(code).toBe(1)
  expect(stdout).toContain('Bridge opens to trams\n  • This article was amended on 12 November 2026')
  expect(stdout).toContain('no-such-file.html: there is no such file')
})

test('the headline of a page that does not say that it is an article is named as not watched', async () => {
  const it = makeHome()
  closing.push(it.remove)
  const head = (type: string) => `<head><title>T</title>${type}<meta property="og:title" content="Market plan"></head>`
  const plain = it.write('plain.html', `${head('')}<body><h1>Market plan</h1></body>`)
  const told = it.write('told.html', head('<meta property="og:type" content="article">'))
  const test = async (...args: string[]) => (await it.lastword('corrections', 'test', ...args)).stdout
  expect(await test(plain)).toContain(
    'Market plan\n  not watched: the page does not say that it is an article (og:type "article", or structured data)',
  )
  expect(await test(told)).not.toContain('not watched')
  const lines = (await test('--json', plain, told)).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).watched)).toEqual([false, true])
})
