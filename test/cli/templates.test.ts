import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { type FeedServer, startFeedServer } from '../../src/demo/feed-server.ts'
import { systemClock } from '../../src/time/clock.ts'
import { type Home, makeHome } from '../support/home.ts'
import { startRelay } from '../support/smtp/relay.ts'

let magazine: FeedServer
const closing: (() => unknown)[] = []

beforeAll(async () => {
  magazine = await startFeedServer({ clock: systemClock })
  return () => magazine.close()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function home(): Promise<{ it: Home; accepted: () => number }> {
  const relay = await startRelay()
  closing.push(relay.close)
  const it = makeHome({
    feeds: `${magazine.url}/feeds`,
    allow: [new URL(magazine.url).host],
    relayPort: relay.port,
  })
  closing.push(it.remove)
  await it.lastword('subscribers', 'import', it.write('people.csv', 'email\nann@readers.example\n'))
  return { it, accepted: () => relay.accepted.length }
}

function change(it: Home, name: string, from: string, to: string): void {
  const file = join(it.folder, 'templates/email', name)
  const before = readFileSync(file, 'utf8')
  expect(before).toContain(from)
  writeFileSync(file, before.replace(from, to))
}

test.each([
  ['digest.mjml.hbs', '{{> footer}}', '', /digest\.mjml\.hbs: its HTML has no visible unsubscribe link/],
  ['digest.txt.hbs', '{{> footer}}', '', /digest\.txt\.hbs: its text does not show the postal address/],
  ['digest.mjml.hbs', '{{> latest}}', '', /its HTML leaves out all \d+ articles of the section “Latest/],
  ['digest.mjml.hbs', '<mj-body', '<mj-bdy', /digest\.mjml\.hbs:18: there is no MJML tag <mj-bdy>/],
  [
    'parts/teaser.mjml.hbs',
    '<tr>',
    '</mj-table><mj-table widht="1"><tr>',
    /teaser\.mjml\.hbs:1: <mj-table> has no attribute “widht”/,
  ],
])('what is wrong with %s stops dry run, preview and run alike, and nothing is sent', async (name, from, to, words) => {
  const { it, accepted } = await home()
  change(it, name, from, to)
  const preview = ['edition', 'preview', 'weekly', '--out', join(it.folder, 'preview')]
  for (const command of [['run', 'weekly', '--dry-run'], preview, ['run', 'weekly']]) {
    const { code, stderr } = await it.lastword(...command)
    expect([command[0], code, stderr]).toEqual([command[0], 1, expect.stringMatching(words)])
  }
  expect(accepted()).toBe(0)
})
