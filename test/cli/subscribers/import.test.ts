import { afterEach, expect, test } from 'vitest'
import { type Home, makeHome } from '../../support/home.ts'

const homes: Home[] = []
afterEach(() => {
  for (const { remove } of homes.splice(0)) remove()
})

function home(): Home {
  const made = makeHome()
  homes.push(made)
  return made
}

test('the last line of an import counts everybody by what the file says, and notes stand in the order of lines', async () => {
  const it = home()
  const before = it.write('before.csv', 'email\ngus@a.example\n')
  expect(await it.lastword('subscribers', 'import', before)).toMatchObject({
    stdout: '1 row: 1 added to weekly, 0 already subscribed, 0 invalid\n',
  })
  const rows = [
    'ann@a.example,enabled,Mars/Olympus',
    'bob@a.example,blocklisted,',
    'cy,enabled,',
    'dee@a.example,bounced,',
    'eli@a.example,unconfirmed,',
    'fay@a.example,enabled,+02:00',
    'gus@a.example,unsubscribed,',
    'hal@a.example,odd,',
  ]
  const file = it.write('people.csv', `email,status,zone\n${rows.join('\n')}\n`)
  const refused = await it.lastword('subscribers', 'import', file)
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain(`${file}:9: the state "odd" in the column "status" is unknown (1 row)`)
  const dry = await it.lastword('subscribers', 'import', file, '--map', 'odd=skip', '--dry-run')
  const imported = await it.lastword('subscribers', 'import', file, '--map', 'Odd=skip')
  const line =
    '8 rows: 2 added to weekly, 0 already subscribed, 2 unsubscribed elsewhere (1 blocklisted, 1 unsubscribed), 1 bounced elsewhere (1 bounced), 1 not confirmed (1 unconfirmed), 1 skipped (1 odd), 1 invalid; 1 person no longer subscribed here'
  expect(dry.stdout).toBe(`${line}. Nothing was imported: this was a dry run\n`)
  expect(imported).toMatchObject({ code: 0, stdout: `${line}\n` })
  const lines = [...imported.stderr.matchAll(/people\.csv:(\d+): /g)].map(([, number]) => Number(number))
  expect(lines).toEqual([2, 4, 7, 8])
  const { stdout: listed } = await it.lastword('subscribers', 'list')
  expect(listed.split('\n').sort()).toEqual([
    '',
    'ann@a.example\t\tweekly\tactive',
    'bob@a.example\t\tweekly\tleft',
    expect.stringMatching(/^dee@a\.example\t\tweekly\tsuppressed: bounced elsewhere before the import/),
    'eli@a.example\t\tweekly\tpending',
    'fay@a.example\t\tweekly\tactive',
    'gus@a.example\t\tweekly\tleft',
  ])
})

test('a meaning that there is not is refused, and so are --map and --ignore-status together', async () => {
  const it = home()
  const file = it.write('people.csv', 'email,status\nann@a.example,odd\n')
  const odd = await it.lastword('subscribers', 'import', file, '--map', 'odd=maybe')
  expect(odd).toMatchObject({ code: 1, stderr: expect.stringContaining('expected STATE=MEANING') })
  const both = await it.lastword('subscribers', 'import', file, '--map', 'odd=left', '--ignore-status')
  expect(both).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be used together') })
  expect(await it.lastword('subscribers', 'import', file, '--ignore-status')).toMatchObject({
    code: 0,
    stdout: '1 row: 1 added to weekly, 0 already subscribed, 0 invalid\n',
  })
})
