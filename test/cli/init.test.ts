import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { readJobFolder } from '../../src/editions/jobs/read-folder.ts'
import { type Home, makeHome } from '../support/home.ts'

let home: Home

beforeEach(() => {
  home = makeHome({ environment: { LASTWORD_WEB__PORT: '0' } })
  for (const name of readdirSync(home.folder)) rmSync(join(home.folder, name), { recursive: true })
})
afterEach(() => home.remove())

const read = (file: string) => readFileSync(join(home.folder, file), 'utf8')

test('without a configuration every command says how to make one', async () => {
  const { code, stderr } = await home.lastword('timetable')
  expect(code).toBe(1)
  expect(stderr).toMatch(/lastword\.yml does not exist\nRun lastword init/)
})

test('init makes a configuration and a digest that work, and says what to write in them', async () => {
  const { code, stdout } = await home.lastword('init', '--digest', 'harbour-weekly')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^made lastword\.yml: fill in .*web\.url/)
  expect(stdout).toMatch(/^made jobs\/harbour-weekly\.yml: fill in /m)
  const config = readConfig(join(home.folder, 'lastword.yml'), {})
  const digests = readJobFolder(join(home.folder, 'jobs'), config.templates).digests
  expect(digests.map(({ name }) => name)).toEqual(['harbour-weekly'])
  expect(await home.lastword('timetable', '--runs', '1')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('harbour-weekly'),
  })
  expect(readdirSync(join(home.folder, 'jobs')).sort()).toEqual(['digest.schema.json', 'harbour-weekly.yml'])
})

test('an existing file is never overwritten, and a second digest comes only by name', async () => {
  await home.lastword('init', '--digest', 'harbour-weekly')
  home.write('lastword.yml', '# mine\n')
  home.write('jobs/harbour-weekly.yml', '# mine too\n')
  const again = await home.lastword('init', '--digest', 'harbour-weekly')
  expect(again.code).toBe(0)
  expect(again.stdout).toMatch(/lastword\.yml already exists.*\njobs\/harbour-weekly\.yml already exists/)
  await home.lastword('init')
  expect(readdirSync(join(home.folder, 'jobs')).sort()).toEqual(['digest.schema.json', 'harbour-weekly.yml'])
  expect([read('lastword.yml'), read('jobs/harbour-weekly.yml')]).toEqual(['# mine\n', '# mine too\n'])
  await home.lastword('init', '--digest', 'second')
  expect(read('jobs/second.yml')).toContain('Public Sector Weekly')
})

test.each(['Harbour Weekly', '../other', 'a.example', '9to5'])('a digest cannot be called %s', async (name) => {
  expect(await home.lastword('init', '--digest', name)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`--digest ${name}: expected lower-case letters, digits and hyphens`),
  })
  expect(readdirSync(home.folder)).toEqual([])
})

test('start says that there is no digest yet, and how to make one', async () => {
  await home.lastword('init')
  rmSync(join(home.folder, 'jobs/public-sector-weekly.yml'))
  const { child, ended } = home.begin('start')
  child.stdout?.on('data', (chunk) => `${chunk}`.includes('Pages:') && child.kill('SIGTERM'))
  expect((await ended).stderr).toContain(
    'There is no digest in jobs/, so no edition will be made. Make one with: lastword init --digest',
  )
})
