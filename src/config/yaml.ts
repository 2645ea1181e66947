import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  stringify,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { z } from 'zod'
import { AppError, messageOf, systemCode } from '../errors.ts'
import { mayHoldSecret, mergeConflicts, type YamlText, yamlProblems } from './yaml-problems.ts'

/** What a person wrote, as data, with a way back from a place in the data to its line in the file. */
export type ParsedYaml = { file: string; data: unknown; where(path: readonly PropertyKey[]): string }

/** Reads a YAML file. Throws AppError `missing` when there is none, `invalid` with file and line when it is not YAML. */
export function readYaml(file: string): ParsedYaml {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new AppError('missing', `${file} does not exist`)
    throw new AppError('invalid', `${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
  return parseYaml(utf8Text(bytes, file), file)
}

/** The bytes of a file as text. AppError `invalid` with the line where they are not UTF-8. */
export function utf8Text(bytes: Buffer, file: string): string {
  const text = bytes.toString('utf8')
  if (isUtf8(bytes)) return text
  const line = text.slice(0, text.indexOf('\ufffd')).split('\n').length
  throw new AppError('invalid', `${file}:${line}: expected UTF-8, found a letter in another encoding`)
}

/** Parses YAML 1.2 text; `file` is only for the messages. */
export function parseYaml(text: string, file: string): ParsedYaml {
  const conflicts = mergeConflicts(text, file)
  if (conflicts.length > 0) throw new AppError('invalid', conflicts.join('\n'))
  const lines = new LineCounter()
  // Every error in one go.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'error' })
  const source = { text, file, lines }
  if (document.errors.length > 0) throw new AppError('invalid', yamlProblems(document.errors, source).join('\n'))
  const data = toData(document, source)
  const where = (path: readonly PropertyKey[]) => {
    const offset = offsetOf(document.contents, path)
    return offset === undefined ? file : `${file}:${lines.linePos(offset).line}`
  }
  return { file, data, where }
}

/** Aliases are limited, so that a hostile file cannot grow without bound; one that names nothing is shown with its line. */
function toData(document: Document, { text, file, lines }: YamlText): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    let line: number | undefined
    visit(document, {
      Alias(_, alias) {
        if (alias.resolve(document)) return undefined
        line = lines.linePos(alias.range?.[0] ?? 0).line
        return visit.BREAK
      },
    })
    if (line === undefined) throw new AppError('invalid', `${file}: ${messageOf(error)}`)
    const isSecret = mayHoldSecret(text.split(/\r?\n/)[line - 1] ?? '')
    const message = isSecret ? 'Unresolved alias' : messageOf(error)
    throw new AppError('invalid', `${file}:${line}: ${message}. If it is text, put it in quotes`)
  }
}

/**
 * Checks the whole file; every problem in one AppError, each with file, line and what was expected. `found` are problems
 * that the caller found, and come first; `renamed` gives the new name of a former key, by its path (`a.b`).
 */
export function validateYaml<S extends z.ZodType>(
  yaml: ParsedYaml,
  schema: S,
  otherProblems: string[] = [],
  renamed: ReadonlyMap<string, string> = new Map(),
): z.output<S> {
  const checked = schema.safeParse(yaml.data, { error: typeMessage })
  if (checked.success && otherProblems.length === 0) return checked.data
  const problems = (checked.error?.issues ?? []).flatMap(splitUnknownKeys).map((issue) => {
    const place = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
    const newName = issue.code === 'unrecognized_keys' ? renamed.get(place.join('.')) : undefined
    const hint = newName === undefined ? '' : `: it is now called "${newName}"`
    return `${yaml.where(place)}: ${pathText(issue.path)}${issue.message}${hint}`
  })
  throw new AppError('invalid', [...new Set([...otherProblems, ...problems])].join('\n'))
}

/** What zod says in the words of a program, in those of a file. */
function typeMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined
  const expected = typeNames[issue.expected] ?? `a ${issue.expected}`
  return issue.input === undefined
    ? `is missing: expected ${expected}`
    : `expected ${expected}, found ${kindOf(issue.input)}`
}

const typeNames: Record<string, string> = {
  object: 'keys and values',
  array: 'a list',
  string: 'text',
  int: 'a whole number',
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (Number.isNaN(value)) return 'other text'
  if (typeof value === 'string') return value.trim() === '' ? 'empty text' : 'text'
  return typeof value === 'object' ? 'keys and values' : String(value)
}

/** One problem a line: an issue that names three unknown keys is three problems, each on its own line of the file. */
function splitUnknownKeys(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'unrecognized_keys') return [issue]
  return issue.keys.map((key) => ({ ...issue, keys: [key], message: `unknown key "${key}"` }))
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return ''
  const text = path.map((part, index) =>
    typeof part === 'number' ? `[${part + 1}]` : index ? `.${String(part)}` : String(part),
  )
  return `${text.join('')}: `
}

/** Where the value at `path` begins; where it is absent, where its nearest parent begins. */
function offsetOf(contents: unknown, path: readonly PropertyKey[]): number | undefined {
  let node = contents as Node | null
  let offset = node?.range?.[0]
  for (const part of path) {
    const child = childOf(node, part)
    if (!child) break
    offset = child.offset ?? offset
    node = child.value
  }
  return offset
}

function childOf(node: Node | null, part: PropertyKey): { value: Node | null; offset: number | undefined } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(part)] as Node | undefined
    return item && { value: item, offset: item.range?.[0] }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === String(part))
  const key = pair?.key as Node | undefined
  return pair && { value: pair.value as Node | null, offset: key?.range?.[0] }
}

/** Something to add at the end of the list at `path`; a list that is not there yet is made. */
export type Addition = { path: (string | number)[]; value: unknown }

/**
 * The text with the additions in it, and every other character as its writer left it. A place that cannot be written to
 * (an alias, a text where a list should be) is left alone: whoever calls reads the result again.
 */
export function addToYaml(text: string, additions: Addition[]): string {
  return additions.reduce(addItem, text)
}

function addItem(text: string, { path, value }: Addition): string {
  const document = parseDocument(text)
  const list = document.getIn(path, true)
  if (isSeq(list)) return insertNode(text, list, flowText(value), stringify([value], { lineWidth: 0 }))
  const holder = document.getIn(path.slice(0, -1), true)
  if (list !== undefined || !isMap(holder)) return text
  const key = String(path.at(-1))
  return insertNode(text, holder, `${key}: [${flowText(value)}]`, stringify({ [key]: [value] }, { lineWidth: 0 }))
}

/** JSON is YAML; what needs no quotes stands without. */
function flowText(value: unknown): string {
  return typeof value === 'string' && /^\w[^\s,[\]{}"'#]*$/.test(value) ? value : JSON.stringify(value)
}

/** Before the closing bracket, or on lines of its own after the last item, as far in as the first. */
function insertNode(text: string, into: YAMLMap | YAMLSeq, flow: string, block: string): string {
  const [start, end] = into.range ?? [0, 0]
  const whole = text.slice(0, end).trimEnd()
  if (into.flow) {
    const before = whole.slice(0, -1).trimEnd()
    const comma = into.items.length === 0 ? '' : before.endsWith(',') ? ' ' : ', '
    return before + comma + flow + text.slice(before.length)
  }
  const indent = start - (text.lastIndexOf('\n', start - 1) + 1)
  const lineEnd = text.indexOf('\n', whole.length)
  const at = lineEnd < 0 ? text.length : lineEnd
  const lines = block
    .trimEnd()
    .split('\n')
    .map((line) => `\n${' '.repeat(indent)}${line}`)
  return text.slice(0, at) + lines.join('') + text.slice(at)
}
