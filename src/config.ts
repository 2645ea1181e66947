import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError, messageOf } from './errors.ts'
import { checkWritten, readYaml, type Written } from './yaml.ts'
import { isZone } from './zone.ts'

const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'expected a colour such as "#0b4f6c"')
const address = z.email('expected an email address')
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http or https address' })
  .regex(/^\w+:\/\/[^\s\\]+$/, 'expected an http or https address')

/** The environment has numbers as text. Nothing else is turned into one: an empty `port:` is a mistake and not port 0. */
const numeric = <S extends z.ZodType>(schema: S) =>
  z.preprocess((given) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given), schema)

/** The same for true and false. */
const yesOrNo = z.preprocess(
  (given) => (given === 'true' ? true : given === 'false' ? false : given),
  z.boolean('expected true or false'),
)

const port = numeric(z.int().min(0).max(65_535))

const dkimKey = z
  .strictObject({
    domain: z.string().regex(/^[a-z0-9.-]+$/i, 'expected a domain in ASCII'),
    selector: z.string().regex(/^[a-z0-9._-]+$/i, 'expected the name before ._domainkey'),
    key: z.string().optional().describe('The private key as PEM'),
    keyFile: z.string().optional().describe('The file that holds it: better than the key itself'),
  })
  .refine(({ key, keyFile }) => (key === undefined) !== (keyFile === undefined), 'expected key or keyFile, one of them')

/** The whole of `lastword.yml`. Every key here is read by something; unknown keys are errors. */
export const configSchema = z.strictObject({
  publication: z.strictObject({
    name: z.string().min(1).describe('The name on the masthead'),
    site: httpUrl.describe('The home page'),
    contact: address.describe('Where readers write; Reply-To of every message'),
    editors: address.optional().describe('Where we write to when a feed is in trouble; the contact address if absent'),
    address: z.string().min(1).describe('The postal address that the law asks for in the footer'),
    tagline: z.string().default('').describe('One line under the masthead'),
    logo: httpUrl.optional().describe('A PNG or JPEG, shown 48 px high on the masthead'),
    language: z
      .string()
      .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'expected a language tag such as "en-GB"')
      .default('en-GB'),
    colours: z
      .strictObject({
        brand: colour.default('#0b4f6c').describe('Masthead and headings'),
        accent: colour.default('#b3261e').describe('Rules, labels and badges'),
      })
      .prefault({}),
  }),
  relay: z
    .strictObject({
      host: z.string().min(1).default('localhost'),
      port: port.default(587),
      security: z
        .enum(['starttls', 'tls', 'none'])
        .default('starttls')
        .describe(
          'starttls is required, not tried; tls from the first byte (port 465); none for a relay on this machine',
        ),
      user: z.string().optional(),
      password: z.string().optional().describe('Better as LASTWORD_RELAY__PASSWORD_FILE'),
      connections: numeric(z.int().min(1).max(100)).default(5).describe('Open at once'),
      messagesPerConnection: numeric(z.int().min(1)).default(100),
      timeout: numeric(z.number().positive())
        .default(60)
        .describe('Seconds of silence after which a connection is given up'),
      returnPath: address
        .regex(/^[^@]{1,15}@/, 'expected at most 15 characters before the @: the key of 48 comes after them')
        .optional()
        .describe('Where bounces go, made personal as name+key@domain; the contact address if absent'),
      dkim: z
        .array(dkimKey)
        .max(2, 'expected one key or two: RSA-2048 and Ed25519')
        .default([])
        .describe('Signs every copy of an edition (RFC 6376) with each of these keys'),
    })
    .prefault({}),
  pace: z
    .strictObject({
      providers: yesOrNo
        .default(true)
        .describe('Ask DNS who takes the mail of a domain: those with the same provider share its pace'),
      warmUp: z
        .strictObject({
          from: z.iso.date('expected a day such as "2026-11-23"').describe('The first day'),
          days: z
            .array(numeric(z.int().min(1)))
            .min(1)
            .describe('At most so many messages on the first day, the second and so on; then no limit'),
          zone: z
            .string()
            .refine(isZone, 'expected an IANA time zone such as "Europe/London"')
            .default('UTC')
            .describe('Where the days begin'),
        })
        .optional()
        .describe('For a new relay or domain: how many messages may go out on each day, over all editions'),
    })
    .prefault({}),
  web: z
    .strictObject({
      url: httpUrl
        .regex(/^[^?#]*$/, 'expected an address without ? and #: paths are put behind it')
        .default('http://localhost:3000')
        .describe('The public address of the pages, as it stands in every email'),
      host: z.string().default('127.0.0.1').describe('The interface to listen on'),
      port: port.default(3000),
      secret: z
        .string()
        .min(32, 'expected at least 32 characters')
        .optional()
        .describe('Signs the links in emails. Made at the first start and kept in the store if absent'),
    })
    .prefault({}),
  store: z
    .strictObject({
      url: z
        .string()
        .regex(/^(file:.+|postgres(ql)?:\/\/.+)$/, 'expected file:path/to/lastword.db or postgres://user@host/database')
        .default('file:data/lastword.db'),
    })
    .prefault({}),
  feeds: z
    .strictObject({
      allow: z
        .array(z.string().min(1))
        .default([])
        .describe('Hosts that may resolve to private or loopback addresses, as "host" or "host:port"'),
      timeout: numeric(z.number().positive().max(120)).default(20),
      maximumBytes: numeric(z.int().min(1024)).default(10 * 1024 * 1024),
      alertAfter: z
        .string()
        .regex(/^\d+ ?(m|h|d)$/, 'expected a length of time such as "90m", "12h" or "3d"')
        .default('24h')
        .describe('The editors are told of a feed that fails for longer than this'),
    })
    .prefault({}),
  jobs: z.string().default('jobs').describe('The folder of the digests'),
  templates: z.string().default('templates').describe('The folder of the templates'),
  log: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

export type Config = z.output<typeof configSchema>

/**
 * Reads `lastword.yml` and the environment (`LASTWORD_section__key`, `…_FILE` for a file that holds the value),
 * checks the whole and returns it. Throws one AppError with every problem.
 */
export function readConfig(file: string, environment: Record<string, string | undefined>): Config {
  const found = existsSync(file)
  if (!found && !hasOverride(environment, 'publication')) {
    throw new AppError('missing', `${file} does not exist`, {
      hint: 'Copy lastword.yml from the repository and fill in your publication, or point to yours with --config.',
    })
  }
  const written = found ? readYaml(file) : { file, data: {}, where: () => file }
  const { overrides, problems } = readOverrides(environment)
  return checkWritten(withOverrides(written, overrides), configSchema, problems)
}

/** The configuration of this process: the file named, and its environment. */
export function configHere(file: string): Config {
  return readConfig(file, process.env)
}

/** The store that the environment names, for what has no configuration file. */
export function storeUrlHere(): string | undefined {
  const { overrides } = readOverrides(process.env)
  const url = overrides.find(({ path }) => path.join('.') === 'store.url')?.value
  return url === undefined ? undefined : String(url)
}

/** An address without the password that it may hold. */
export function maskUrl(url: string): string {
  return url
    .replace(/^(\w+:\/\/[^:]*:).*@/, '$1********@') // to the last @: a password may hold one
    .replace(/([?&]password=)[^&]+/, '$1********')
}

/** The configuration as a person may see it: what gives access is masked. */
export function maskSecrets(config: Config): Config {
  const mask = (value: string | undefined) => (value === undefined ? undefined : '********')
  const masked = structuredClone(config)
  if (masked.relay.password) masked.relay.password = mask(masked.relay.password)
  for (const one of masked.relay.dkim) if (one.key) one.key = '********'
  if (masked.web.secret) masked.web.secret = mask(masked.web.secret)
  masked.store.url = maskUrl(masked.store.url)
  return masked
}

type Override = { name: string; path: string[]; value: unknown }

/** Every setting that the environment names, and every variable that makes no sense. */
function readOverrides(environment: Record<string, string | undefined>) {
  const read = Object.entries(environment).flatMap(([name, value]) => toOverride(name, value))
  const overrides = read.filter((one) => 'path' in one)
  const problems = read.flatMap((one) => ('problem' in one ? [one.problem] : []))
  const names = new Map<string, string>()
  for (const { name, path } of overrides) {
    const other = names.get(path.join('.'))
    if (other) problems.push(`${name}: ${other} says the same: expected one of them`)
    names.set(path.join('.'), name)
  }
  return { overrides, problems }
}

/** Lays the environment over what the file says; a problem with such a value is shown with the variable's name. */
function withOverrides(written: Written, overrides: Override[]): Written {
  const data = structuredClone(written.data)
  if (isObject(data)) for (const override of overrides) assign(data, override)
  const where = (path: readonly PropertyKey[]) =>
    overrides.find((override) => override.path.every((part, index) => part === path[index]))?.name ??
    written.where(path)
  return { file: written.file, data, where }
}

function hasOverride(environment: Record<string, string | undefined>, section: string): boolean {
  return Object.keys(environment).some((name) => name.toLowerCase().startsWith(`lastword_${section}__`))
}

/** `LASTWORD_RELAY__MESSAGES_PER_CONNECTION`, `LASTWORD_relay__messagesPerConnection`: case and underscores do not matter. */
function toOverride(name: string, given: string | undefined): (Override | { problem: string })[] {
  const [, setting, ending] = /^LASTWORD_(.+?)(_FILE)?$/i.exec(name) ?? []
  if (!setting || given === undefined) return []
  const path = knownPath(setting.split('__'))
  if (!path) return [{ problem: `${name}: there is no such setting` }]
  try {
    const value = ending ? readFileSync(given, 'utf8').replace(/[\r\n]+$/, '') : given
    return [{ name, path, value: lists.includes(path.join('.')) ? listed(value) : value }]
  } catch (error) {
    return [{ problem: `${name}: ${given} cannot be read: ${messageOf(error)}` }]
  }
}

/** Settings that are lists: in the environment with commas. */
const lists = ['feeds.allow', 'pace.warmUp.days']

function listed(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

function knownPath(parts: string[]): string[] | undefined {
  const path: string[] = []
  let schema: z.core.$ZodType = configSchema
  for (const part of parts) {
    const inner: z.core.$ZodType = unwrap(schema)
    if (!(inner instanceof z.ZodObject)) return undefined
    const key: string | undefined = Object.keys(inner.shape).find((known) => flat(known) === flat(part))
    if (!key) return undefined
    path.push(key)
    schema = inner.shape[key] as z.core.$ZodType
  }
  return unwrap(schema) instanceof z.ZodObject ? undefined : path
}

const flat = (name: string) => name.toLowerCase().replaceAll('_', '')

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema
  while (inner instanceof z.ZodPrefault || inner instanceof z.ZodDefault || inner instanceof z.ZodOptional)
    inner = inner.def.innerType
  return inner
}

/** A section that is no section in the file is left as it is: the check says so. */
function assign(data: Record<string, unknown>, { path, value }: Override): void {
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
