import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rss, startFeedHost } from '../../support/feeds.ts'
import { type CommandResult, type Home, makeHome } from '../../support/home.ts'
import { startRelay } from '../../support/smtp/relay.ts'

const closing: (() => unknown)[] = []
let home: Home
let relay: Awaited<ReturnType<typeof startRelay>>

beforeEach(async () => {
  const feeds = await startFeedHost()
  relay = await startRelay()
  home = makeHome({ relayPort: relay.port, feeds: feeds.url, allow: [`127.0.0.1:${feeds.port}`] })
  closing.push(feeds.close, relay.close, home.remove)
  feeds.answer('/latest.xml', rss(['Trams return', 'Trams are late', 'Harbour opens']))
  feeds.answer('/last-word.xml', rss(['Second thoughts']))
  const job = join(home.folder, 'jobs/weekly.yml') // an edition of so few articles waits for an editor
  writeFileSync(
    job,
    readFileSync(job, 'utf8').replace(
      'lateCheck: false',
      'lateCheck: false\npictures: link\nthin: { minimum: 9, rule: hold }',
    ),
  )
  home.write('people.csv', 'email\nmira@readers.example\n')
  await home.lastword('subscribers', 'import', 'people.csv')
  await home.lastword('run', 'weekly')
})

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const edit = (...words: string[]): Promise<CommandResult> =>
  home.lastword('edition', 'edit', 'weekly:1', ...words, '--who', 'mira')

test('every change is made, listed with its effect, in the preview, and in what is sent after the approval', async () => {
  const done: [string[], string][] = [
    [['drop', 'Trams are late'], 'weekly 1: dropped “Trams are late” (change 1)'],
    [['pin', 'harbour'], 'weekly 1: pinned “Harbour opens” in latest (change 2)'],
    [['move', 'Second thoughts', '--section', 'latest'], 'weekly 1: moved “Second thoughts” to latest (change 3)'],
    [['reorder', 'latest', 'second', 'harbour'], 'weekly 1: reordered latest (change 4)'],
    [
      ['reword', 'harbour', '--title', 'The harbour <opens>', '--summary', 'At last.'],
      'weekly 1: reworded the headline “Harbour opens” as “The harbour <opens>”, and its summary (change 5)',
    ],
    [
      ['picture', 'harbour', 'https://magazine.example/h.jpg', '--alt', 'Ships'],
      'weekly 1: changed the picture of “Harbour opens” (change 6)',
    ],
    [['introduction', 'Dear reader\n\nwelcome'], 'weekly 1: wrote the introduction: “Dear reader welcome” (change 7)'],
    [['subject', 'By hand'], 'weekly 1: wrote the subject: “By hand” (change 8)'],
    [['preheader', 'Look inside'], 'weekly 1: wrote the preheader: “Look inside” (change 9)'],
    [
      ['block', 'Come and see', '--text', 'On Monday.', '--link', 'https://magazine.example/x', '--before', 'latest'],
      'weekly 1: wrote the block “Come and see” (change 10)',
    ],
  ]
  for (const [words, line] of done) {
    const { code, stdout } = await edit(...words)
    expect([words[0], code, stdout.replaceAll('\n', ' ').trim()]).toEqual([words[0], 0, line])
  }
  expect((await edit('block', 'Come and look', '--block', '10')).code).toBe(0)
  const listed = (await edit('list', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(listed.map(({ number, kind, who, status }) => [number, kind, who, status])).toEqual([
    ...['drop', 'pin', 'move', 'order', 'reword', 'picture', 'introduction', 'subject', 'preheader'].map(
      (kind, index) => [index + 1, kind, 'mira', 'applies'],
    ),
    [10, 'block', 'mira', 'replaced'],
    [11, 'block', 'mira', 'applies'],
  ])

  const shown = await home.lastword('edition', 'show', 'weekly:1')
  expect(shown.stdout).toMatch(/change 1 {2}\S+ {2}mira dropped “Trams are late”\n/)
  expect(shown.stdout).toContain('– Trams are late  (dropped by mira)'.replace('– ', '–  '))
  const explained = await home.lastword('edition', 'explain', 'Trams are late')
  expect(explained.stdout).toContain('edition 1: mira dropped “Trams are late”')

  const out = join(home.folder, 'out')
  await home.lastword('edition', 'preview', 'weekly:1', '--out', out)
  const preview = readFileSync(join(out, 'index.html'), 'utf8')
  for (const words of [
    'The harbour &lt;opens&gt;',
    'At last.',
    'h.jpg',
    'Dear reader',
    'welcome',
    'By hand',
    'Look inside',
    'Come and look',
  ])
    expect(preview).toContain(words)
  expect(preview).not.toContain('Trams are late')
  expect(preview.indexOf('Second thoughts')).toBeLessThan(preview.lastIndexOf('The harbour'))

  const approved = await home.lastword('edition', 'approve', 'weekly:1', '--yes', '--anyway')
  expect(approved).toMatchObject({ code: 0 })
  expect((await home.lastword('edition', 'send', 'weekly:1', '--yes')).code).toBe(0)
  const again = await home.lastword('edition', 'send', 'weekly:1', '--yes')
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/is sent already[\s\S]*lastword run weekly/)])
  expect(again.stderr).not.toContain('sending:')
  const mail = await simpleParser(relay.accepted[0]?.raw ?? Buffer.alloc(0))
  const withoutKeys = (html: string) =>
    html
      .replace(/\/(leave|preferences)\/[\w-]+/g, '/$1/')
      .replaceAll('\r\n', '\n')
      .trim()
  expect(mail.subject).toBe('By hand')
  expect(withoutKeys(String(mail.html))).toBe(withoutKeys(preview))
  expect(mail.text).toContain('The harbour <opens>')
})

test('what a change does not name stays, and is removed by a flag', async () => {
  const picture = 'https://magazine.example/h.jpg'
  const data = async () => JSON.parse((await edit('list', '--json')).stdout.trim().split('\n').at(-1) ?? '').data
  await edit(
    'block',
    'Festival',
    '--text',
    'Doors open at 8.',
    '--link',
    'https://magazine.example/t',
    '--picture',
    picture,
  )
  await edit('block', 'Festival on Sunday', '--block', '1')
  const link = { url: 'https://magazine.example/t', text: 'https://magazine.example/t' }
  const block = { heading: 'Festival on Sunday', text: 'Doors open at 8.', before: '' }
  expect(await data()).toEqual({ ...block, link, picture: { url: picture, alt: '' } })
  await edit('block', 'Festival on Sunday', '--block', '1', '--no-link', '--no-picture')
  expect(await data()).toEqual({ ...block, link: null, picture: null })
  await edit('picture', 'harbour', picture, '--alt', 'Ships')
  await edit('picture', 'harbour', '--alt', 'Three ships')
  expect(await data()).toMatchObject({ picture: { url: picture, alt: 'Three ships' } })
  expect((await edit('picture', 'harbour')).stderr).toContain('Write the address of a picture')
  await edit('picture', 'harbour', '--no-picture')
  expect(await data()).toMatchObject({ picture: null })
})

test('an edition is sealed again at once, and the command says which revision it is', async () => {
  const shown = async () => JSON.parse((await home.lastword('edition', 'show', 'weekly:1', '--json')).stdout)
  const { sha256 } = await shown()
  expect((await edit('subject', 'By hand')).stderr).toContain('sealed as revision 2; it is held: ')
  const after = await shown()
  expect(after).toMatchObject({ status: 'held', revision: 2, subject: 'By hand' })
  expect(after.sha256).not.toBe(sha256)
})

test('a change is taken back by its number, once', async () => {
  await edit('drop', 'Trams return')
  expect((await edit('undo', '1')).stdout).toBe('weekly 1: undone: dropped “Trams return” (change 1)\n')
  expect((await edit('list')).stdout).toMatch(/^1 {2}\S+ {2}mira dropped “Trams return” \(undone\)\n$/)
  const again = await home.lastword('edition', 'edit', 'weekly:1', 'undo', '1', '--who', 'Ben')
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('mira has already undone this change') })
  expect((await edit('undo', '2')).stderr).toContain('weekly 1 has no change 2')
})

test('an approval that names an older revision is refused with what changed', async () => {
  const shown = async () => JSON.parse((await home.lastword('edition', 'show', 'weekly:1', '--json')).stdout)
  expect((await shown()).revision).toBe(1)
  await edit('subject', 'By hand')
  const approve = (revision: string) =>
    home.lastword('edition', 'approve', 'weekly:1', '--yes', '--anyway', '--revision', revision)
  expect((await approve('1')).stderr).toContain(
    'weekly 1 has changed since you looked at it: mira (Wrote the subject: “By hand”)',
  )
  expect((await approve('two')).stderr).toContain('expected a number')
  expect([(await shown()).revision, (await shown()).status]).toEqual([2, 'held'])
  expect((await approve('2')).code).toBe(0)
})

test.each([
  [['explode'], 'there is no change “explode”'],
  [['constructor'], 'there is no change “constructor”'],
  [['pin'], 'pin needs more words'],
  [['pin', 'harbour', 'opens'], 'pin needs fewer words'],
  [['drop', 'harbour', '--title', 'x'], 'drop takes no --title'],
  [['block', 'x', '--never'], 'block takes no --never'],
  [['drop', 'trams'], '2 articles match “trams”'],
  [['drop', 'nothing like it'], 'no article of this edition matches'],
  [['undo', '0'], 'expected the number of a change'],
  [['block', 'x', '--block', '7'], 'change 7 made no block'],
  [['picture', 'harbour', 'javascript:alert(1)'], 'must begin with https://'],
  [['move', 'harbour', '--section', 'sport'], 'Choose one of these sections: latest, last-word.'],
])('%j is refused in words, and changes nothing', async (words, message) => {
  const before = (await home.lastword('edition', 'show', 'weekly:1', '--json')).stdout
  const { code, stderr } = await edit(...words)
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining(message)])
  expect((await home.lastword('edition', 'show', 'weekly:1', '--json')).stdout).toBe(before)
})
