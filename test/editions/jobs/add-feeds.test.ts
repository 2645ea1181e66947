import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addFeedsToJobFile, type FeedPlacement } from '../../../src/editions/jobs/add-feeds.ts'
import { readDigest } from '../../../src/editions/jobs/read-job.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastword-jobs-'))
  mkdirSync(join(folder, 'jobs'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const head = `# The weekly of the harbour
title: "The Weekly"   # as people know it
schedule: '0 7 * * FRI'
zone: Europe/London

subject:   "{lead}"
preheader: "{second}"
from: {name: The Weekly, address: weekly@harbour.example}
introduction: >
  Two lines of the file,
  one paragraph of the edition.
sections:
`
const url = 'https://new.example/feed?a=1&b=2'

function place(sections: string, placed: FeedPlacement[]): { added: FeedPlacement[]; text: string } {
  const file = join(folder, 'jobs/weekly.yml')
  writeFileSync(file, head + sections)
  const added = addFeedsToJobFile(
    { jobs: join(folder, 'jobs'), templates: 'templates' },
    readDigest(file, 'templates'),
    placed,
  )
  expect(readdirSync(join(folder, 'jobs'))).toEqual(['weekly.yml'])
  return { added, text: readFileSync(file, 'utf8') }
}

const latest = (value = url): FeedPlacement => ({ section: 'latest', title: 'Latest', url: value })

test('a feed is added to a list in brackets, and every other line stays as it was', () => {
  const before = `  # first of all
  - name: latest
    title: Latest news   # a comment
    layout: latest
    feeds: [https://harbour.example/feed] # ours

    maximum: 12
`
  const { added, text } = place(before, [latest()])
  expect(added).toEqual([latest()])
  expect(text).toBe(head + before.replace('/feed]', `/feed, ${url}]`))
})

test('a feed is added to a list with a line for each, and to a section that is written on one line', () => {
  const lines = `  - name: latest
    title: Latest news
    layout: latest
    feeds:
      - https://harbour.example/feed # ours
    # and no more than
    maximum: 12
`
  const short = `  - {name: last-word, title: Last word, layout: last-word, feeds: [https://harbour.example/lw], maximum: 4}\n`
  expect(place(lines + short, [latest()]).text).toBe(head + lines.replace('ours\n', `ours\n      - ${url}\n`) + short)
  expect(place(lines + short, [{ ...latest(), section: 'last-word' }]).text).toBe(
    head + lines + short.replace('/lw]', `/lw, ${url}]`),
  )
})

test('a section that is not there yet is added at the end, and a list that is not there is made', () => {
  const say = `  - { name: have-your-say, title: Have your say, layout: have-your-say }\n`
  const { text } = place(say, [
    { section: 'abroad', title: 'From abroad', url },
    { section: 'have-your-say', title: '', url },
  ])
  expect(text).toContain(`layout: have-your-say, feeds: [${url}] }`)
  const digest = readDigest(join(folder, 'jobs/weekly.yml'), 'templates')
  expect(digest.sections[1]).toMatchObject({ name: 'abroad', title: 'From abroad', layout: 'latest', feeds: [url] })
})

test('a feed that stands there already changes nothing', () => {
  const before = `  - { name: latest, title: Latest, layout: latest, feeds: ["${url}"] }\n`
  expect(place(before, [latest()])).toEqual({ added: [], text: head + before })
})

test('a file that is changed keeps its mode and its owner, whatever the umask is', () => {
  const file = join(folder, 'jobs/weekly.yml')
  writeFileSync(file, `${head}  - { name: latest, title: Latest, layout: latest, feeds: [https://a.example/] }\n`)
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(file, 65534, 65533)
  chmodSync(file, 0o664)
  const before = statSync(file)
  const umask = process.umask(0o077)
  try {
    const digest = readDigest(file, 'templates')
    addFeedsToJobFile({ jobs: join(folder, 'jobs'), templates: 'templates' }, digest, [latest()])
  } finally {
    process.umask(umask)
  }
  const { mode, uid, gid } = statSync(file)
  expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid })
  expect(readFileSync(file, 'utf8')).toContain(url)
})

test('a list that two sections share by an alias is not changed for both: nothing is written', () => {
  const shared = `  - { name: latest, title: Latest, layout: latest, feeds: &all [https://harbour.example/feed] }
  - { name: focus, title: Focus, layout: focus, feeds: *all }
`
  expect(() => place(shared, [latest()])).toThrow('cannot be added to')
  expect(readFileSync(join(folder, 'jobs/weekly.yml'), 'utf8')).toBe(head + shared)
})

test.each([
  ['empty brackets', `  - { name: have-your-say, title: Say, layout: have-your-say, feeds: [] }\n`, 'have-your-say'],
  [
    'brackets over lines',
    `  - name: latest\n    title: L\n    layout: latest\n    feeds: [\n      https://a.example/,\n    ]\n`,
    'latest',
  ],
  ['no line end', `  - name: latest\n    title: L\n    layout: latest\n    feeds:\n    - https://a.example/`, 'latest'],
  [
    'a block with no list',
    `  - name: have-your-say\n    layout: have-your-say\n    title: Say # it\n    # the end\n`,
    'have-your-say',
  ],
  [
    'a list as far out as its parent',
    `- name: latest\n  title: L\n  layout: latest\n  feeds:\n  - 'https://a.example/'\n\n# the end\n`,
    'latest',
  ],
])(
  '%s: an address with every sign that YAML knows is added as it is, and a section behind it',
  (_, before, section) => {
    const odd = `https://new.example/feed?a=[1],{b}&c='2'#d`
    const placed = [
      { section, title: '', url: odd },
      { section: 'abroad', title: 'From: "abroad" # here', url: odd },
    ]
    const { text } = place(before, placed)
    const { sections } = readDigest(join(folder, 'jobs/weekly.yml'), 'templates')
    expect(sections[0]?.feeds.at(-1)).toBe(odd)
    expect(sections[1]).toMatchObject({ name: 'abroad', title: 'From: "abroad" # here', feeds: [odd] })
    for (const line of before.split('\n')) if (!/feeds: \[\]/.test(line)) expect(text).toContain(line)
  },
)
