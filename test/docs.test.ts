import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { buildProgram } from '../src/cli/program.ts'
import { configSchema } from '../src/config/config.ts'
import { nextAttempt } from '../src/deliveries/delivery.ts'
import { RelayHealth } from '../src/deliveries/relays/relay-health.ts'
import { messages } from '../src/describe/messages.ts'
import { digestJsonSchema } from '../src/editions/jobs/digest-schema.ts'
import { parseDigest } from '../src/editions/jobs/read-job.ts'
import { confirmationLifetimeMs } from '../src/subscribers/resubscribe.ts'
import { day, hour, minute, msBetween, second } from '../src/time/clock.ts'
import { maxSessionMs, sessionEnd } from '../src/web/session-use.ts'
import { fakeClock } from './support/clock.ts'
import { commandLines, optionsIn } from './support/command-lines.ts'
import { anchorOf, codeIn, type Page, readPage, sentencesOf, type Table } from './support/markdown.ts'

const pages = ['README.md', ...readdirSync('docs').map((file) => join('docs', file))].map((file) =>
  readPage(file, readFileSync(file, 'utf8')),
)
const page = (file: string): Page => pages.find((one) => one.file === file) ?? readPage(file, '')
const tablesWith = (file: string, column: string): Table[] =>
  page(file).tables.filter(({ header }) => header[0] === column)

const maxWords = 24
const maxCellLength = 300

describe.each(pages)('$file', ({ file, links, headings, texts, tables }) => {
  test('every link leads to a file, and every anchor to a heading', () => {
    const dead = links.filter((link) => !link.startsWith('https://')).filter((link) => !leadsSomewhere(file, link))
    expect(dead).toEqual([])
  })

  test('no two headings share an anchor', () => {
    expect(new Set(headings.map(anchorOf)).size).toBe(headings.length)
  })

  test('no sentence is long', () => {
    const cells = tables.flatMap(({ rows }) => rows.flat())
    const long = [...texts, ...cells].flatMap(sentencesOf).filter(({ words }) => words > maxWords)
    expect(long.map(({ sentence, words }) => `${words}: ${sentence}`)).toEqual([])
  })

  test('no cell of a table is long, and every row is whole', () => {
    const rows = tables.flatMap(({ header, rows }) => rows.map((cells) => ({ cells, columns: header.length })))
    expect(rows.filter(({ cells, columns }) => cells.length !== columns)).toEqual([])
    const long = rows.flatMap(({ cells }) => cells).filter((cell) => cell.length > maxCellLength)
    expect(long.map((cell) => `${cell.length}: ${cell}`)).toEqual([])
  })

  test('it names no file of ours that is not there', () => {
    const paths = [...texts, ...tables.flatMap(({ rows }) => rows.flat())]
      .flatMap(codeIn)
      .filter((code) => /^(src|test|templates|fixtures)\/[\w./-]+$/.test(code) && !/NAME|NNNN/.test(code))
    expect(paths.filter((path) => !existsSync(path))).toEqual([])
  })
})

test('the README has at most 1,800 words', () => {
  expect(readFileSync('README.md', 'utf8').split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1800)
})

test('the README links to every page of docs/', () => {
  const linked = page('README.md').links.map((link) => link.split('#')[0])
  expect(readdirSync('docs').filter((file) => !linked.includes(`docs/${file}`))).toEqual([])
})

test('the job file of the README has 15 lines and is whole', () => {
  const [job] = page('README.md').blocks.filter(({ language }) => language === 'yaml')
  expect(job?.text.split('\n').length).toBe(15)
  expect(parseDigest(job?.text ?? '', 'jobs/my-weekly.yml', 'templates')).toMatchObject({ name: 'my-weekly' })
})

test('every setting of an example exists and has a value that it may have', () => {
  const publication = { name: 'A', site: 'https://a.example', contact: 'a@a.example', address: 'A' }
  const sample = parse(readFileSync('jobs/public-sector-weekly.example.yml', 'utf8'))
  const examples = pages.flatMap(({ blocks }) => blocks).filter(({ language }) => language === 'yaml')
  for (const { text } of examples) {
    const data = parse(text.replace(/^ +ca: .*$/m, '')) // a file of the reader's machine
    if (Object.keys(data).some((key) => key in configSchema.shape)) configSchema.parse({ publication, ...data })
    else if (text.startsWith(' ')) parseJob({ ...sample, sections: [{ ...sample.sections[0], ...data }] })
    else parseJob({ ...sample, ...data })
  }
  expect(examples.length).toBeGreaterThan(10)
})

describe('commands', () => {
  let program: Command
  beforeAll(async () => {
    program = await buildProgram([])
  })

  test('commands.md names every command with its arguments and options, and no other', () => {
    const usages = tablesWith('docs/commands.md', 'command').flatMap(({ rows }) =>
      rows.map(([cell = '']) => codeIn(cell)[0] ?? ''),
    )
    expect(usages.map(usageShape).sort()).toEqual(leaves(program).map(commandShape).sort())
  })

  test('every command in a code block exists, with the options and arguments that it is given', () => {
    const lines = pages.flatMap(({ blocks }) =>
      blocks.filter(({ language }) => language === 'sh').flatMap(commandLines),
    )
    expect(lines.flatMap((words) => faultOf(program, words, 'whole'))).toEqual([])
    expect(lines.length).toBeGreaterThan(20)
  })

  test('every command that a sentence names exists, with its options', () => {
    const groups = program.commands.filter((command) => command.commands.length > 0).map((command) => command.name())
    const named = pages
      .flatMap(({ texts, tables }) => [...texts, ...tables.flatMap(({ rows }) => rows.flat())])
      .flatMap(codeIn)
      .map((code) => (code.startsWith('lastword ') ? code.slice('lastword '.length) : code))
      .filter((code) => !code.includes('[') && groups.some((group) => new RegExp(`^${group} [a-z]+( |$)`).test(code)))
    expect(named.length).toBeGreaterThan(50)
    expect(named.flatMap((code) => faultOf(program, code.split(/\s+/), 'part'))).toEqual([])
  })
})

test('configuration.md names every setting, and no other', () => {
  const named = tablesWith('docs/configuration.md', 'setting').flatMap(firstCodes)
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
  const known = settingsOf(schema as JsonSchema).filter((path) => !path.startsWith('relays.'))
  expect(named.sort()).toEqual(known.sort())
})

test('the defaults on both pages are those of the program', () => {
  const config = tablesWith('docs/configuration.md', 'setting').flatMap(({ rows }) => rows)
  const job = tablesWith('docs/job-file.md', 'key').flatMap(({ heading, rows }) =>
    rows.map(([key = '', given = '']) => [heading === 'A section' ? key.replace('`', '`sections.') : key, given]),
  )
  const schema = z.toJSONSchema(configSchema, { io: 'output', unrepresentable: 'any' }) as JsonSchema
  const known = { ...defaultsOf(schema), ...defaultsOf(digestJsonSchema()) }
  const plain = [...config, ...job].map(([key = '', given = '']) => [
    key.replaceAll('`', ''),
    given.replaceAll('`', ''),
  ])
  const compared = plain.filter(([key = '']) => key in known)
  expect(Object.fromEntries(compared)).toEqual(Object.fromEntries(compared.map(([key = '']) => [key, known[key]])))
  expect(compared.length).toBeGreaterThan(45)
  const invented = plain.filter(([key = '', given = '']) => !(key in known) && /^[\d#]|^(true|false)$/.test(given))
  expect(invented).toEqual([])
})

test('job-file.md names every key, and no other', () => {
  const [digest = [], section = [], rule = []] = ['The digest', 'A section', 'A rule'].map((heading) =>
    tablesWith('docs/job-file.md', 'key')
      .filter((table) => table.heading === heading)
      .flatMap(firstCodes),
  )
  const known = settingsOf(digestJsonSchema())
  const filters = ['sections.include', 'sections.exclude'] // each is one rule, without a count
  const isRule = (path: string) => /(^|\.)(atLeast|matching|include|exclude)\.|^sections\.atMost\./.test(path)
  const ofRules = known.filter(isRule).map((path) => path.split('.').at(-1) ?? '')
  expect([...digest].sort()).toEqual(known.filter((path) => !isRule(path) && !path.startsWith('sections.')).sort())
  expect(section.map((key) => `sections.${key}`).sort()).toEqual(
    [...known.filter((path) => !isRule(path) && path.startsWith('sections.')), ...filters].sort(),
  )
  expect([...rule].sort()).toEqual([...new Set(ofRules)].sort())
})

test('log-events.md names every event of the log, and no other', () => {
  const named = tablesWith('docs/log-events.md', 'event').flatMap(firstCodes)
  expect(named.sort()).toEqual([...new Set(eventsInSource())].sort())
})

test('log-events.md names every kind of a history and every code of a reason, and no other', () => {
  const { events, reasons } = messages()
  expect(tablesWith('docs/log-events.md', 'kind').flatMap(firstCodes).sort()).toEqual([...events.keys()].sort())
  expect(tablesWith('docs/log-events.md', 'code').flatMap(firstCodes).sort()).toEqual([...reasons.keys()].sort())
})

test('every line of the log has an event', () => {
  const nameless = sourceFiles().flatMap(([file, source]) =>
    [...source.matchAll(/\blog\??\.(?:info|warn|error)\(\s*(?:(\w+)|\{([^}]*)\})/g)]
      .filter(([, variable, fields]) => !/\bevent\b/.test(fields ?? fieldsOf(source, variable ?? '')))
      .map(([call]) => `${file}: ${call}`),
  )
  expect(nameless).toEqual([])
})

test('the waits that the pages name are those of the program', () => {
  const now = '2026-11-27T07:00:00.000Z'
  const retries: number[] = []
  const shortest = '000' // the end of an id whose waits are not longer than the minimum
  for (let attempts = 1; ; attempts++) {
    const next = nextAttempt({ subscriberId: shortest, attempts }, now)
    if (next === null) break
    retries.push(msBetween(now, next))
  }
  const [first = 0, ...later] = retries
  const hours = later.map((ms) => ms / hour)
  const named = `${first / minute} minutes, ${hours.slice(0, -1).join(', ')} and ${hours.at(-1)} hours`
  const whatHappens = readFileSync('docs/what-happens-if.md', 'utf8')
  expect(whatHappens).toContain(`the next attempts are after ${named}, and up to a fifth longer`)
  expect([retries.length + 1, whatHappens.includes('After six attempts it is')]).toEqual([6, true])

  const clock = fakeClock()
  const relay = new RelayHealth(clock, 'the relay')
  const pauses = Array.from({ length: 10 }, () => {
    relay.begin()
    while (!relay.isPaused) relay.recordResult({ kind: 'unsent', reply: '' }, undefined)
    const ms = msBetween(clock.now(), relay.pausedUntil)
    clock.advance(ms)
    return ms
  })
  expect([pauses[0], pauses.at(-1)]).toEqual([15 * second, 10 * minute])
  expect(whatHappens).toContain('tries again after 15 seconds, then after twice as long each time, up to ten minutes')

  expect(confirmationLifetimeMs).toBe(3 * day)
  expect(whatHappens).toContain('a confirmation for three days')

  const [idleMs, longestMs] = [msBetween(now, sessionEnd(now, now)), maxSessionMs]
  expect(readFileSync('docs/operations.md', 'utf8')).toContain(
    `A session ends after ${idleMs / hour} hours without use, and after ${longestMs / day} days in any case.`,
  )
})

test('architecture.md leads to a folder, a file and a function that are there', () => {
  const [places] = page('docs/architecture.md').tables.filter(({ header }) => header.includes('function'))
  for (const [what = '', folder = '', files = '', functions = ''] of places?.rows ?? []) {
    const paths = codeIn(files).map((file) => join(codeIn(folder)[0] ?? '', file))
    const source = paths.map((path) => readFileSync(path, 'utf8')).join('\n')
    for (const name of codeIn(functions))
      expect(source, `${what}: ${name}`).toMatch(new RegExp(`\\bexport .*\\b(function|const|class) ${name}\\b`))
  }
  expect(places?.rows.length).toBeGreaterThan(9)
  const steps = page('docs/architecture.md').texts.flatMap((text) => [...text.matchAll(/`(\w+)` \(`(src\/[^`]+)`\)/g)])
  for (const [, name = '', path = ''] of steps)
    expect(readFileSync(path, 'utf8'), `${path}: ${name}`).toMatch(new RegExp(`\\bexport .*\\b${name}\\b`))
  expect(steps.length).toBeGreaterThan(10)
})

test('the tree of architecture.md names every folder of src', () => {
  const [tree] = page('docs/architecture.md').tables.filter(({ heading }) => heading === 'The tree')
  const named = (tree ? firstCodes(tree) : []).map((code) => code.replace(/\/$/, ''))
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => `src/${name}`).filter((path) => !named.includes(path))).toEqual([])
})

function leadsSomewhere(file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? file : join(dirname(file), path)
  if (!existsSync(target)) return false
  return anchor === undefined || page(target).headings.some((heading) => anchorOf(heading) === anchor)
}

const firstCodes = ({ rows }: Table) => rows.flatMap(([cell = '']) => codeIn(cell))

function parseJob(data: object): void {
  parseDigest(JSON.stringify(data), 'jobs/example.yml', 'templates')
}

/** Commands that do something, with the words that lead to them. */
function leaves(command: Command, path: string[] = []): { path: string[]; command: Command }[] {
  if (command.commands.length === 0) return [{ path, command }]
  return command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]))
}

/** The words of the command, how many arguments of each kind it takes, and its options, those with a value with `=`. */
function commandShape({ path, command }: { path: string[]; command: Command }): string {
  const values = command.registeredArguments.map(({ required, variadic }) => {
    const one = variadic ? 'value…' : 'value'
    return required ? one : `[${one}]`
  })
  const options = command.options.map((option) => {
    const one = `${option.long}${option.required ? '=' : ''}`
    return option.mandatory ? one : `[${one}]`
  })
  return [...path, ...values, ...options.sort()].join(' ')
}

/** The same of a line such as `feeds add URL [--digest NAME]`. */
function usageShape(usage: string): string {
  const options = optionsIn(usage).map(({ name, hasValue, isOptional }) => {
    const one = `${name}${hasValue ? '=' : ''}`
    return isOptional ? `[${one}]` : one
  })
  const bare = usage.replace(/\[?--[a-z-]+( [A-Z=]+)?\]?/g, '')
  const words = bare.split(/\s+/).filter(Boolean)
  return [...words.map((word) => word.replace(/[A-Z]+/, 'value')), ...options.sort()].join(' ')
}

/** What is wrong with a command line; nothing if all is well. A `part` may leave its arguments out. */
function faultOf(program: Command, words: string[], extent: 'whole' | 'part'): string[] {
  const line = words.join(' ')
  let command = program
  let at = 0
  for (; command.commands.length > 0; at++) {
    const inner = command.commands.find((one) => one.name() === words[at])
    if (!inner) return [`${line}: there is no such command`]
    command = inner
  }
  const values: string[] = []
  for (; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('--')) values.push(word)
    else {
      const option = [...command.options, ...program.options].find(({ long }) => long === word)
      if (!option) return [`${line}: there is no option ${word}`]
      if (option.required) at++
    }
  }
  const isVariadic = command.registeredArguments.some(({ variadic }) => variadic)
  const needed = command.registeredArguments.filter(({ required }) => required).length
  if (!isVariadic && values.length > command.registeredArguments.length) return [`${line}: too many arguments`]
  return extent === 'whole' && values.length < needed ? [`${line}: an argument is missing`] : []
}

type JsonSchema = {
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  items?: JsonSchema
  default?: unknown
}

/** The paths of all settings of a schema; those inside a list follow the list, which is a setting itself. */
function settingsOf(schema: JsonSchema, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const own = path === '' ? name : `${path}.${name}`
    const alternatives = [inner.items, ...(inner.anyOf ?? []), ...(inner.items?.anyOf ?? [])]
    const keyed = alternatives.find((one) => one?.properties)
    if (keyed) return [own, ...settingsOf(keyed, own)]
    const below = settingsOf(inner, own)
    return below.length > 0 ? below : [own]
  })
}

/** The defaults that are a text, a number, true or false, by path. */
function defaultsOf(schema: JsonSchema, path = ''): Record<string, string> {
  const { default: own, properties = schema.items?.properties ?? {} } = schema
  const isShown = ['string', 'number', 'boolean'].includes(typeof own) && own !== ''
  const below = Object.entries(properties).map(([name, inner]) =>
    defaultsOf(inner, path === '' ? name : `${path}.${name}`),
  )
  return Object.assign(isShown ? { [path]: String(own) } : {}, ...below)
}

function sourceFiles(): [file: string, source: string][] {
  const files = (readdirSync('src', { recursive: true }) as string[]).filter((file) => file.endsWith('.ts'))
  return files.map((file) => [file, readFileSync(join('src', file), 'utf8')])
}

/** What a variable that is logged holds, as it is written. */
function fieldsOf(source: string, variable: string): string {
  return new RegExp(`\\b${variable} = \\{([^}]*)\\}`).exec(source)?.[1] ?? ''
}

function eventsInSource(): string[] {
  const literal = /\bevent(?: =|:)[^'`\n]*(?:'([a-z_]+\.[a-z_]+)'|`jobs\.\$\{kind\}`)(?: : '([a-z_]+\.[a-z_]+)')?/g
  return sourceFiles()
    .flatMap(([, source]) => [...source.matchAll(literal)])
    .filter(([found]) => !/\bkind:|\beditEvent\(/.test(found)) // an entry of a history
    .flatMap(([, first, second]) =>
      first === undefined ? ['jobs.added', 'jobs.changed', 'jobs.removed'] : [first, ...(second ? [second] : [])],
    )
}
