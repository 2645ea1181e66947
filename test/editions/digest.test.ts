import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { feedUrlsOf, fullTextFeedUrls } from '../../src/editions/digest.ts'
import { digestJsonSchema } from '../../src/editions/jobs/digest-schema.ts'
import { readJobFolder } from '../../src/editions/jobs/read-folder.ts'
import { parseDigest, readDigest } from '../../src/editions/jobs/read-job.ts'
import { layouts } from '../../src/editions/jobs/section-schema.ts'
import { dayConflictMessage } from '../../src/editions/schedule/day-conflict.ts'
import { runsAfter } from '../../src/editions/schedule/due-runs.ts'
import { AppError } from '../../src/errors.ts'
import { parseDurationMs } from '../../src/time/clock.ts'

const fixtures = 'fixtures/jobs'
const isJob = (file: string) => /\.ya?ml$/i.test(file)
const without = (file: string) => file.replace(/\.ya?ml$/i, '')
const read = (path: string) => readFileSync(path, 'utf8')

function refusal(work: () => unknown): AppError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('it was accepted')
}

describe('a job file', () => {
  test.each(readdirSync(fixtures).filter(isJob))('such as %s is read as its pair says', (file) => {
    const expected = JSON.parse(read(join(fixtures, `${without(file)}.expected.json`)))
    expect(readDigest(join(fixtures, file), 'templates')).toEqual(expected)
  })

  test.each(readdirSync(join(fixtures, 'not')).filter(isJob))(
    'such as not/%s is refused in the words of its pair',
    (file) => {
      const expected = read(join(fixtures, 'not', `${without(file)}.expected.txt`))
      const refused = refusal(() => readDigest(join(fixtures, 'not', file), 'templates'))
      expect(`${refused.message}\n`).toBe(expected)
      expect(refused.code).toBe('invalid')
    },
  )

  test('has its problems counted even when some keys are missing altogether', () => {
    const { message } = refusal(() => readDigest(join(fixtures, 'not/everything-at-once.yml'), 'templates'))
    for (const part of ['title', 'schedule', 'zone', '{lede}', 'preheader', 'from.name', 'grid', 'maximum', 'bulletin'])
      expect(message).toContain(part)
    expect(message).toContain('a section named "two" is defined twice')
    expect(message).toContain('unknown key "colour"')
  })

  test.each(['jobs/public-sector-weekly.example.yml', 'fixtures/demo/jobs/civic-ledger-weekly.yml'])(
    'that we ship, %s, is right',
    (file) => {
      expect(
        parseDigest(read(file), file.replace('.example', ''), 'templates').sections.map((section) => section.layout),
      ).toEqual([...layouts])
    },
  )

  test('misses its template where only one of the two twins is there', () => {
    const text = read(join(fixtures, 'minimal.yml'))
    const folder = mkdtempSync(join(tmpdir(), 'lastword-templates-'))
    mkdirSync(join(folder, 'email'))
    writeFileSync(join(folder, 'email/digest.mjml.hbs'), '')
    const { message } = refusal(() => parseDigest(text, 'weekly.yml', folder))
    expect(message).toBe(`weekly.yml:1: template: ${join(folder, 'email/digest.txt.hbs')} does not exist`)
    rmSync(folder, { recursive: true })
  })
})

test('a feed whose address has more than 2,000 characters is refused with file and line', () => {
  const withFeed = (length: number) => {
    const url = 'https://harbour.example/latest.xml'
    const text = read(join(fixtures, 'minimal.yml')).replace(url, url.padEnd(length, 'x'))
    return parseDigest(text, 'weekly.yml', 'templates')
  }
  expect(withFeed(2000).sections[0]?.feeds[0]).toHaveLength(2000)
  expect(refusal(() => withFeed(2001)).message).toMatch(
    /^weekly\.yml:13: sections\[1\]\.feeds\[1\]: this address has more than 2000 characters/,
  )
})

describe('a schedule', () => {
  const withSchedule = (schedule: string) =>
    parseDigest(read(join(fixtures, 'minimal.yml')).replace('30 6 * * MON', schedule), 'weekly.yml', 'templates')

  test.each(['0 7 * * FRI', '*/5 * * * *', '0 7 29 2 *', '0 7 L * *', '0 9 1,15 * *', '0 7 * * 7', '0 7 ? * MON'])(
    '%j is good',
    (schedule) => {
      expect(withSchedule(schedule).schedule).toBe(schedule)
    },
  )

  test.each([
    ['0 7 * * MON#1', ['2026-12-07', '2027-01-04', '2027-02-01']],
    ['0 7 * * tue#2,Thu#2', ['2026-12-08', '2026-12-10', '2027-01-12']],
    ['0 7 * * FRIL', ['2026-12-25', '2027-01-29', '2027-02-26']],
    ['0 7 1-7 * +MON', ['2026-12-07', '2027-01-04', '2027-02-01']],
  ])('%j is good, and runs on those days alone', (schedule, days) => {
    const runs = runsAfter(withSchedule(schedule), '2026-11-30T12:00:00.000Z', 3)
    expect(runs.map((run) => run.slice(0, 10))).toEqual(days)
  })

  test.each([
    ['', 'found 1'],
    ['0 7 * *', 'found 4'],
    ['0 0 7 * * FRI', 'found 6'],
    ['0 7 * * FRI 2027 *', 'found 7'],
    ['60 7 * * *', 'not a cron expression'],
    ['0 24 * * *', 'not a cron expression'],
    ['0 7 * * FRY', 'not a cron expression'],
    ['0 7 * * 8', 'not a cron expression'],
    ['*/0 * * * *', 'not a cron expression'],
    ['5-1 * * * *', 'not a cron expression'],
    ['0 7 31 4 *', 'never runs'],
    ['0 7 1-7 * MON', 'write "0 7 \\* \\* MON#1" for the first Monday of the month'],
    ['0 7 1,2,3,4,5,6,7 * 1', 'write "0 7 \\* \\* 1#1" for the first Monday of the month'],
    ['0 7 8-14 * tue,Thu', 'write "0 7 \\* \\* tue#2,Thu#2" for the second Tuesday and Thursday'],
    ['30 6 15-21 3-9 7', 'write "30 6 \\* 3-9 7#3" for the third Sunday'],
    ['0 7 25-31 * FRI', 'write "0 7 \\* \\* FRIL" for the last Friday'],
    ['0 7 13 * FRI', 'write "0 7 13 \\* \\+FRI" for the days that are both, or \\* for one of the two'],
    ['0 7 */2 * MON', 'write "0 7 \\*/2 \\* \\+MON" for the days that are both'],
    ['0 7 1-7 * MON-FRI', 'write "0 7 1-7 \\* \\+MON-FRI" for the days that are both'],
  ])('%j is refused: %s', (schedule, words) => {
    expect(refusal(() => withSchedule(schedule)).message).toMatch(new RegExp(`^weekly\\.yml:2: schedule: .*${words}`))
  })
})

describe('a calendar', () => {
  const withCalendar = (calendar: string) =>
    parseDigest(read(join(fixtures, 'minimal.yml')).replace('"30 6 * * MON"', calendar), 'weekly.yml', 'templates')

  test('that only has cron is the same schedule as the cron fields alone', () => {
    expect(withCalendar('{ cron: "0 7 * * FRI" }').schedule).toBe('0 7 * * FRI')
  })

  test.each([
    ['5', 'schedule: expected text, found 5'],
    ['{}', 'schedule: expected cron or every'],
    ['{ cron: "0 7 * * FRI", every: 1 week }', 'schedule: expected cron or every'],
    ['{ every: 2 weeks, from: 2026-01-09 }', 'schedule: every needs at'],
    ['{ every: 2 days, from: 2026-01-09, at: "07:00" }', 'schedule.every: expected a number of weeks or months'],
    ['{ every: 2 weeks, from: 2026-02-30, at: "07:00" }', 'schedule.from: expected a date such as "2026-12-25"'],
    ['{ cron: "0 7 * * FRI", from: 2026-01-09 }', 'schedule.from: belongs to every'],
    ['{ cron: "0 7 * *" }', 'schedule.cron: expected five cron fields'],
    ['{ cron: "0 7 * * FRI", skips: [] }', 'schedule: unknown key "skips"'],
    ['{ cron: "0 7 * * FRI", skip: [25 Dec] }', 'schedule.skip[1]: expected a date such as "2026-12-25"'],
    ['{ cron: "0 7 * * FRI", skip: [{ from: 2026-12-25 }] }', 'schedule.skip[1]: expected on, or from and to'],
    ['{ cron: "0 7 * * FRI", skip: [{ from: 2026-12-25, to: 2026-12-24 }] }', 'schedule.skip[1].to: is before from'],
    ['{ cron: "0 7 * * FRI", skip: [{ from: 2026-01-01, to: 2028-01-01 }] }', 'schedule.skip[1].to: is more than 366'],
    [
      '{ cron: "0 7 * * FRI", shift: after, skip: [{ on: 2026-12-25, content: drop }] }',
      'schedule.skip[1].content: has no effect on a run that is shifted: add shift: none',
    ],
    ['{ cron: "0 7 * * FRI", pauseUntil: soon }', 'schedule.pauseUntil: expected a date such as "2026-12-25"'],
  ])('such as %s is refused with its line', (calendar, message) => {
    expect(refusal(() => withCalendar(calendar)).message).toContain(`weekly.yml:2: ${message}`)
  })
})

describe('what a schedule of days and weekdays is told to be', () => {
  const [after, until] = ['2026-12-31T23:59:59.000Z', '2028-12-31T23:59:59.000Z']
  const datesOf = (schedule: string) =>
    runsAfter({ schedule, zone: 'UTC' }, after, 1000, until).map((run) => run.slice(0, 10))
  const offered = (days: string, weekday: number) => {
    const [, schedule = ''] = /write "([^"]+)"/.exec(dayConflictMessage(`0 7 ${days} * ${weekday}`) ?? '') ?? []
    return datesOf(schedule)
  }
  const weekdays = [0, 1, 2, 3, 4, 5, 6]

  test.each(['1-7', '8-14', '15-21', '22-28', '29-31'])('%s: the days that are both', (days) => {
    for (const weekday of weekdays) {
      const both = datesOf(`0 7 ${days} * +${weekday}`)
      expect(both.length).toBeGreaterThan(5)
      expect(offered(days, weekday)).toEqual(both)
    }
  })

  test.each([
    ['22-31', [28, 29, 30, 31]],
    ['23-31', [29, 30, 31]],
    ['24-30', [30]],
    ['24-31', [30, 31]],
    ['25-31', [31]],
  ])('%s: the last such weekday, which is one of them in months of %j days', (days, lengths) => {
    const [from, to] = days.split('-').map(Number) as [number, number]
    for (const weekday of weekdays) {
      const dates = offered(days, weekday).map((date) => date.split('-').map(Number) as [number, number, number])
      expect(dates).toHaveLength(24)
      for (const [year, month, day] of dates) {
        const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
        expect(day).toBeGreaterThan(length - 7)
        if (lengths.includes(length)) expect(day >= from && day <= to).toBe(true)
      }
    }
  })
})

describe('a folder of jobs', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastword-jobs-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const put = (from: string, as: string) => cpSync(join(fixtures, from), join(folder, as))

  test('gives its digests by name, and passes over what is no YAML, or a sample', () => {
    put('minimal.yml', 'weekly.yml')
    put('everything.yml', 'daily.yaml')
    writeFileSync(join(folder, 'digest.schema.json'), '{}')
    writeFileSync(join(folder, 'weekly.yml.bak'), 'nonsense')
    writeFileSync(join(folder, 'weekly.example.yml'), 'nonsense')
    expect(readJobFolder(folder, 'templates').digests.map((digest) => digest.name)).toEqual(['daily', 'weekly'])
  })

  const rejected = () => readJobFolder(folder, 'templates').rejected

  test('leaves out the digests whose files have an error, and names every problem of each', () => {
    put('not/typo.yml', 'one.yml')
    put('minimal.yml', 'two.yml')
    put('not/not-yaml.yml', 'three.yml')
    put('not/made-up-zone.yml', 'four.yml')
    expect(readJobFolder(folder, 'templates').digests.map(({ name }) => name)).toEqual(['two'])
    const lines = rejected().flatMap(({ message }) => message.split('\n'))
    expect(lines.map((line) => line.slice(folder.length + 1).split(' ')[0])).toEqual([
      'four.yml:3:',
      'one.yml:1:',
      'one.yml:2:',
      'three.yml:15:',
    ])
    expect(rejected().map(({ digest }) => digest)).toEqual(['four', 'one', 'three'])
  })

  test('that has two files of one name reads that with the ending .yml: they would be one digest', () => {
    put('minimal.yml', 'weekly.yml')
    put('minimal.yml', 'weekly.yaml')
    expect(readJobFolder(folder, 'templates').digests.map(({ name }) => name)).toEqual(['weekly'])
    expect(rejected()).toMatchObject([{ message: expect.stringContaining('weekly.yaml: another file beside it') }])
  })

  test('does not pass over a file because its ending is in capitals', () => {
    put('minimal.yml', 'WEEKLY.YML')
    expect(rejected()).toMatchObject([{ message: expect.stringContaining('expected lower-case letters') }])
  })

  test('that does not exist is missing, with a hint', () => {
    const none = join(folder, 'none')
    expect(refusal(() => readJobFolder(none, 'templates'))).toMatchObject({
      code: 'missing',
      message: `${none} does not exist`,
      hint: expect.stringContaining('folder'),
    })
  })

  test('that is a file is refused, and no fault of ours', () => {
    put('minimal.yml', 'weekly.yml')
    expect(refusal(() => readJobFolder(join(folder, 'weekly.yml'), 'templates')).message).toMatch(
      /cannot be read: ENOTDIR/,
    )
  })
})

describe('the JSON Schema', () => {
  const schema = z.fromJSONSchema(digestJsonSchema() as Parameters<typeof z.fromJSONSchema>[0])
  const accepts = (file: string) => schema.safeParse(parse(read(file))).success

  test('in jobs/ is the one that the code gives: src/lastword schema > jobs/digest.schema.json', () => {
    expect(JSON.parse(read('jobs/digest.schema.json'))).toEqual(JSON.parse(JSON.stringify(digestJsonSchema())))
  })

  test.each(['jobs/public-sector-weekly.example.yml', `${fixtures}/minimal.yml`, `${fixtures}/everything.yml`])(
    'accepts %s',
    (file) => {
      expect(accepts(file)).toBe(true)
    },
  )

  test.each(['typo', 'typo-in-section', 'unknown-rule', 'hours-without-a-unit', 'sender-without-at', 'a-list'])(
    'refuses not/%s.yml',
    (name) => {
      expect(accepts(`${fixtures}/not/${name}.yml`)).toBe(false)
    },
  )

  test('tells an editor what each key means', () => {
    const { properties } = digestJsonSchema() as { properties: Record<string, { description?: string }> }
    expect(properties.zone?.description).toContain('clock change')
    expect(properties.unknown?.description).toContain('Message-ID')
  })
})

test('feeds are listed once each, in the order of the sections', () => {
  const one = ['https://a.example/', 'https://b.example/']
  const digest = readDigest(`${fixtures}/minimal.yml`, 'templates')
  const [section] = digest.sections
  if (!section) throw new Error('no section')
  const sections = [
    { ...section, feeds: one },
    { ...section, feeds: ['https://b.example/', 'https://c.example/'] },
  ]
  expect(feedUrlsOf({ ...digest, sections })).toEqual([...one, 'https://c.example/'])
})

test('the feeds that are printed whole are those of such sections, with the one that fills up', () => {
  const digest = readDigest(`${fixtures}/everything.yml`, 'templates')
  expect(fullTextFeedUrls(digest)).toEqual([
    'https://example.org/latest.xml',
    'http://example.org:8080/more?format=rss',
    'https://example.org/archive.xml',
  ])
  expect(fullTextFeedUrls(readDigest(`${fixtures}/minimal.yml`, 'templates'))).toEqual([])
})

test.each([
  ['90m', 5_400_000],
  ['12h', 43_200_000],
  ['3 d', 259_200_000],
  ['0m', 0],
])('%s are %i milliseconds', (text, milliseconds) => {
  expect(parseDurationMs(text)).toBe(milliseconds)
})
