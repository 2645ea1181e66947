import { z } from 'zod'
import { messageOf } from '../errors.ts'
import { readSecretFile } from './secret-file.ts'
import type { ParsedYaml } from './yaml.ts'

/** A setting from the environment; `file` is the file of a variable `…_FILE`. */
export type Override = { name: string; path: string[]; value: unknown; file: string | undefined }

/**
 * The schema of all settings; which are lists (comma-separated in the environment); and groups of alternatives, of which
 * one in the environment replaces the others in the file.
 */
export type Settings = { schema: z.core.$ZodType; lists: string[]; alternatives: string[][] }

export type Environment = Record<string, string | undefined>

/** The settings in the environment, and the problems of its variables. */
export function readOverrides(environment: Environment, settings: Settings) {
  const read = Object.entries(environment).flatMap(([name, value]) => toOverride(name, value, settings))
  const overrides = read.filter((one) => 'path' in one)
  const problems = read.flatMap((one) => ('problem' in one ? [one.problem] : []))
  const names = new Map<string, string>()
  for (const { name, path } of overrides) {
    const other = names.get(path.join('.'))
    if (other) problems.push(`${name}: ${other} sets the same: expected one of them`)
    names.set(path.join('.'), name)
  }
  return { overrides, problems }
}

/** The settings of the file with those of the environment over them; `where` of the latter is the variable's name. */
export function withOverrides(written: ParsedYaml, overrides: Override[], { alternatives }: Settings): ParsedYaml {
  const data = structuredClone(written.data)
  if (isObject(data)) {
    for (const override of overrides)
      for (const other of alternativesOf(override, alternatives)) removePath(data, other)
    for (const override of overrides) assignPath(data, override)
  }
  const where = (path: readonly PropertyKey[]) =>
    overrides.find((override) => override.path.every((part, index) => part === path[index]))?.name ??
    written.where(path)
  return { file: written.file, data, where }
}

export function hasOverride(environment: Environment, section: string): boolean {
  return Object.keys(environment).some((name) => name.toLowerCase().startsWith(`lastword_${section}__`))
}

/** `LASTWORD_RELAY__MESSAGES_PER_CONNECTION`, `LASTWORD_relay__messagesPerConnection`: case and underscores do not matter. */
function toOverride(
  name: string,
  given: string | undefined,
  { schema, lists }: Settings,
): (Override | { problem: string })[] {
  const [, setting, ending] = /^LASTWORD_(.+?)(_FILE)?$/i.exec(name) ?? []
  if (!setting || given === undefined) return []
  const path = findSettingPath(setting.split('__'), schema)
  if (!path) return [{ problem: `${name}: there is no such setting` }]
  try {
    const value = ending ? readSecretFile(given, name) : given
    const file = ending ? given : undefined
    return [{ name, path, value: lists.includes(path.join('.')) ? splitList(value) : value, file }]
  } catch (error) {
    return [{ problem: messageOf(error) }]
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

function findSettingPath(parts: string[], whole: z.core.$ZodType): string[] | undefined {
  const path: string[] = []
  let schema = whole
  for (const part of parts) {
    const inner: z.core.$ZodType = unwrap(schema)
    if (!(inner instanceof z.ZodObject)) return undefined
    const key: string | undefined = Object.keys(inner.shape).find((known) => normalised(known) === normalised(part))
    if (!key) return undefined
    path.push(key)
    schema = inner.shape[key] as z.core.$ZodType
  }
  return unwrap(schema) instanceof z.ZodObject ? undefined : path
}

const normalised = (name: string) => name.toLowerCase().replaceAll('_', '')

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema
  while (inner instanceof z.ZodPrefault || inner instanceof z.ZodDefault || inner instanceof z.ZodOptional)
    inner = inner.def.innerType
  return inner
}

/** The paths of the alternatives to the override, or to a section that contains it. */
function alternativesOf({ path }: Override, alternatives: string[][]): string[][] {
  const own = path.map((_, index) => path.slice(0, index + 1).join('.'))
  return alternatives
    .filter((ways) => ways.some((way) => own.includes(way)))
    .flatMap((ways) => ways.filter((way) => !own.includes(way)).map((way) => way.split('.')))
}

function removePath(data: Record<string, unknown>, path: string[]): void {
  const [key = '', ...rest] = path
  const inner = data[key]
  if (rest.length === 0) delete data[key]
  else if (isObject(inner)) removePath(inner, rest)
}

/** A value of the file in place of a section is left for the schema to report. */
function assignPath(data: Record<string, unknown>, { path, value }: Override): void {
  let at = data
  for (const part of path.slice(0, -1)) {
    at[part] ??= {}
    const inner = at[part]
    if (!isObject(inner)) return
    at = inner
  }
  at[path.at(-1) as string] = value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
