import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readJobFolder } from '../../../src/editions/jobs/read-folder.ts'
import { JobFolderWatcher } from '../../../src/editions/jobs/watch-folder.ts'

let folder: string
const jobs = () => join(folder, 'jobs')
const write = (file: string, text: string, place = jobs()) => writeFileSync(join(place, file), text)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastword-jobs-'))
  mkdirSync(jobs())
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function job(title: string, rest = ''): string {
  return `title: ${title}
schedule: "0 7 * * FRI"
zone: Europe/London
subject: "{lead}"
preheader: "{second}"
from: { name: Weekly, address: weekly@magazine.example }
sections:
  - { name: latest, title: Latest, layout: latest, feeds: [https://magazine.example/latest.xml], maximum: 5 }
${rest}`
}

/** A process that started with what is in the folder now, and looks at 00:01, 00:02 and so on. */
function started() {
  const read = () => readJobFolder(jobs(), 'templates')
  const files = new JobFolderWatcher({ jobs: jobs(), templates: 'templates' }, read(), at(0))
  let minute = 0
  return {
    files,
    titles: () => files.digests.map(({ title }) => title),
    look: () => files.scan(at(++minute)),
    /** Two looks: what was written before is there by the second. */
    settle() {
      const looks = [files.scan(at(++minute)), files.scan(at(++minute))]
      return {
        changes: looks.flatMap(({ changes }) => changes.map(({ kind, digest }) => `${kind} ${digest}`)),
        rejected: looks.flatMap(({ rejected }) => rejected),
      }
    },
  }
}

const at = (minute: number) => `2026-11-27T00:${String(minute).padStart(2, '0')}:00.000Z`

test('a changed, a new, a renamed and a removed file are taken over, and a comment is no change', () => {
  write('a.yml', job('A'))
  write('b.yml', job('B'))
  const it = started()
  expect(it.settle()).toEqual({ changes: [], rejected: [] })
  write('a.yml', job('A two'))
  expect(it.settle().changes).toEqual(['changed a'])
  write('c.yaml', job('C'))
  expect(it.settle().changes).toEqual(['added c'])
  expect(it.titles()).toEqual(['A two', 'B', 'C'])
  renameSync(join(jobs(), 'b.yml'), join(jobs(), 'd.yml'))
  expect(it.settle().changes.sort()).toEqual(['added d', 'removed b'])
  write('a.yml', `# a remark\n${job('A two')}`)
  expect(it.settle()).toEqual({ changes: [], rejected: [] })
  expect(it.titles()).toEqual(['A two', 'C', 'B'])
})

test('a file with an error keeps its digest at the version before, and the others go on', () => {
  write('a.yml', job('A'))
  write('b.yml', job('B'))
  const it = started()
  it.settle()
  write('a.yml', job('A two').replace('FRI', 'FRYDAY'))
  write('b.yml', job('B two'))
  write('c.yml', 'title: [')
  const { changes, rejected } = it.settle()
  expect(changes).toEqual(['changed b'])
  expect(it.titles()).toEqual(['A', 'B two'])
  expect(rejected).toMatchObject([
    {
      file: join(jobs(), 'a.yml'),
      message: expect.stringContaining('a.yml:2: schedule:'),
      since: at(4),
      runsBy: at(2),
    },
    { file: join(jobs(), 'c.yml'), message: expect.stringContaining('c.yml:1: '), runsBy: null },
  ])
  expect(it.settle().rejected).toEqual([]) // said once
  expect(it.files.problems.map(({ since }) => since)).toEqual([at(4), at(4)])
  write('a.yml', job('A three').replace('FRI', 'FRYDAY'))
  expect(it.settle().rejected).toEqual([]) // the same error, in a file that was written again
  expect(it.files.problems.map(({ since }) => since)).toEqual([at(4), at(4)])
  write('a.yml', job('A three'))
  expect(it.settle().changes).toEqual(['changed a'])
  expect(it.files.problems.map(({ file }) => file)).toEqual([join(jobs(), 'c.yml')])
})

test('conflict markers are an error of that file alone', () => {
  write('a.yml', job('A'))
  const it = started()
  it.settle()
  write('a.yml', `<<<<<<< ours\n${job('A')}=======\n${job('B')}>>>>>>> theirs\n`)
  expect(it.settle().rejected).toHaveLength(1)
  expect(it.titles()).toEqual(['A'])
})

test('what is still being written is not read: half a file may be a whole one by its form', () => {
  write('a.yml', job('A'))
  const it = started()
  it.settle()
  const whole = job('A', '  - { name: more, title: More, layout: latest, feeds: [https://magazine.example/m.xml] }\n')
  write('a.yml', job('A', '# '))
  it.look()
  write('a.yml', whole)
  expect(it.look().changes).toEqual([])
  expect(it.look().changes).toMatchObject([{ kind: 'changed' }])
  expect(it.files.digests[0]?.sections).toHaveLength(2)
})

test('a file that is away for a moment takes nothing away', () => {
  write('a.yml', job('A'))
  write('b.yml', job('B'))
  const it = started()
  it.settle()
  unlinkSync(join(jobs(), 'b.yml'))
  expect(it.look().changes).toEqual([])
  write('b.yml', job('B'))
  expect(it.settle()).toEqual({ changes: [], rejected: [] })
})

test.each([
  ['is a folder', () => mkdirSync(join(jobs(), 'b.yml'))],
  ['is larger than a megabyte', () => write('b.yml', '#'.repeat(1024 * 1024 + 1))],
])('a file that cannot be read, because it %s, takes nothing away', (_, act) => {
  write('a.yml', job('A'))
  write('b.yml', job('B'))
  const it = started()
  it.settle()
  unlinkSync(join(jobs(), 'b.yml'))
  act()
  expect([it.look(), it.look(), it.look()].flatMap(({ changes }) => changes)).toEqual([])
  expect(it.titles()).toEqual(['A', 'B'])
})

test('swap, lock and backup files beside a job file are none', () => {
  write('a.yml', job('A'))
  const it = started()
  for (const file of ['.a.yml.swp', '.a.yml', 'a.yml~', '#a.yml#', 'a.yml.new']) write(file, 'half [')
  symlinkSync('nobody@host.1234', join(jobs(), '.#a.yml'))
  expect(it.settle()).toEqual({ changes: [], rejected: [] })
  expect(readJobFolder(jobs(), 'templates').digests).toHaveLength(1)
})

test('a folder that is a link may be moved to another one', () => {
  write('a.yml', job('A'))
  mkdirSync(join(folder, 'next'))
  write('a.yml', job('A two'), join(folder, 'next'))
  renameSync(jobs(), join(folder, 'first'))
  symlinkSync('first', jobs())
  const it = started()
  it.settle()
  symlinkSync('next', join(folder, 'link'))
  renameSync(join(folder, 'link'), jobs())
  expect(it.settle().changes).toEqual(['changed a'])
})

test.each([
  ['is missing', () => rmSync(jobs(), { recursive: true }), 'cannot be read'],
  ['is empty', () => unlinkSync(join(jobs(), 'a.yml')), 'holds no job file any more'],
])('a folder that %s stops no digest', (_, act, message) => {
  write('a.yml', job('A'))
  const it = started()
  it.settle()
  act()
  const { changes, rejected } = it.settle()
  expect(changes).toEqual([])
  expect(rejected.map((one) => one.message)).toEqual([expect.stringContaining(message)])
  expect(it.titles()).toEqual(['A'])
})

test('what is no file, and a second file of one name, are refused by name', () => {
  write('a.yml', job('A'))
  const it = started()
  write('a.yaml', job('Other'))
  mkdirSync(join(jobs(), 'b.yml'))
  expect(it.settle().rejected.map(({ message }) => message)).toEqual([
    `${join(jobs(), 'a.yaml')}: another file beside it has the same name and the ending .yml`,
    `${join(jobs(), 'b.yml')} is not a file`,
  ])
  expect(it.titles()).toEqual(['A'])
})

test('a file that was broken at the start waits, is told of once, and is taken over when it is mended', () => {
  write('a.yml', job('A'))
  write('b.yml', `<<<<<<< ours\n${job('B')}`)
  const it = started()
  expect(it.titles()).toEqual(['A'])
  expect(it.files.problems).toMatchObject([{ file: join(jobs(), 'b.yml'), since: at(0), runsBy: null }])
  expect(it.settle()).toEqual({ changes: [], rejected: [] })
  write('b.yml', job('B'))
  expect(it.settle().changes).toEqual(['added b'])
  expect(it.titles()).toEqual(['A', 'B'])
  expect(it.files.problems).toEqual([])
})
