import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { AppError, messageOf, systemCode } from '../errors.ts'
import { mayHoldSecret, mergeConflicts, type YamlText, yamlProblems } from './yaml-problems.ts'

/** The data of a YAML file; `where` gives the file and line of a path in the data. */
export type ParsedYaml = { file: string; data: unknown; where(path: readonly PropertyKey[]): string }

/** Reads a YAML file. Throws AppError `missing`, or `invalid` with file and line if it is not YAML. */
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

/** Decodes UTF-8. Throws AppError `invalid` with the first line that is not UTF-8. */
export function utf8Text(bytes: Buffer, file: string): string {
  const text = bytes.toString('utf8')
  if (isUtf8(bytes)) return text
  const line = text.slice(0, text.indexOf('\ufffd')).split('\n').length
  throw new AppError('invalid', `${file}:${line}: expected UTF-8, found a character in another encoding`)
}

/** Parses YAML 1.2; `file` is for messages. Throws one AppError `invalid` with all problems. */
export function parseYaml(text: string, file: string): ParsedYaml {
  const conflicts = mergeConflicts(text, file)
  if (conflicts.length > 0) throw new AppError('invalid', conflicts.join('\n'))
  const lines = new LineCounter()
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

/** With a limit of aliases, which could expand without bound. Throws AppError with the line of an unresolved alias. */
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
 * Checks the data; throws one AppError with all problems, each with file, line and expectation, `otherProblems` first.
 * `renamed`: the new names of former keys, by their paths (`a.b`).
 */
export function validateYaml<S extends z.ZodType>(
  yaml: ParsedYaml,
  schema: S,
  otherProblems: string[] = [],
  renamed: ReadonlyMap<string, string> = new Map(),
): z.output<S> {
  const checked = schema.safeParse(yaml.data, { error: typeMessage })
  if (checked.success && otherProblems.length === 0) return checked.data
  const problems = (checked.error?.issues ?? [])
    .flatMap(alternativeIssues)
    .flatMap(splitUnknownKeys)
    .map((issue) => {
      const place = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
      const newName = issue.code === 'unrecognized_keys' ? renamed.get(place.join('.')) : undefined
      const hint = newName === undefined ? '' : `: it is now called "${newName}"`
      return `${yaml.where(place)}: ${pathText(issue.path)}${issue.message}${hint}`
    })
  throw new AppError('invalid', [...new Set([...otherProblems, ...problems])].join('\n'))
}

/** Messages of zod about types, in terms of a YAML file. */
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

/** The issues of the alternative that has the type of the value; of the first one, if none has. */
function alternativeIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const hasType = (issues: z.core.$ZodIssue[]) => !issues.some((one) => one.code === 'invalid_type' && !one.path.length)
  const issues = issue.errors.find(hasType) ?? issue.errors[0] ?? []
  return issues.flatMap(alternativeIssues).map((one) => ({ ...one, path: [...issue.path, ...one.path] }))
}

/** Splits an issue with several unknown keys, because each is on another line. */
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

/** The offset of the value at `path`, or of its nearest parent. */
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
