import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { z } from 'zod'
import { AppError, messageOf } from '../errors.ts'
import { day, parseDurationMs } from '../time/clock.ts'
import { isTimeZone } from '../time/zone.ts'
import { defaultHelo } from './default-helo.ts'
import { type Environment, hasOverride, readOverrides, withOverrides } from './overrides.ts'
import { readCertificates } from './pem-file.ts'
import { readYaml, validateYaml } from './yaml.ts'

const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'expected a colour such as "#0b4f6c"')
/** The store of a fresh installation, beside the configuration. */
export const defaultStoreUrl = 'file:data/lastword.db'

const address = z.email('expected an email address')
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http or https address' })
  .regex(/^\w+:\/\/[^\s\\]+$/, 'expected an http or https address')

/** The environment has numbers as text. Nothing else is turned into one: an empty `port:` is a mistake and not port 0. */
const numericSetting = <S extends z.ZodType>(schema: S) =>
  z.preprocess((given) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given), schema)

/** The same for true and false. */
const booleanSetting = z.preprocess(
  (given) => (given === 'true' ? true : given === 'false' ? false : given),
  z.boolean('expected true or false'),
)

const port = numericSetting(z.int().min(0).max(65_535))

const dkimKey = z
  .strictObject({
    domain: z.string().regex(/^[a-z0-9.-]+$/i, 'expected a domain in ASCII'),
    selector: z.string().regex(/^[a-z0-9._-]+$/i, 'expected the name before ._domainkey'),
    key: z.string().optional().describe('The private key as PEM'),
    keyFile: z.string().optional().describe('The file that holds it: better than the key itself'),
  })
  .refine(({ key, keyFile }) => (key === undefined) !== (keyFile === undefined), 'expected key or keyFile, one of them')

const oauth2 = z
  .strictObject({
    tokenUrl: z
      .url()
      .regex(/^(https:|http:\/\/(localhost|127\.0\.0\.1)[:/])/, 'expected an https address')
      .describe('Where access tokens are asked for (RFC 6749 §3.2)'),
    clientId: z.string().min(1),
    clientSecret: z.string().optional(),
    clientSecretFile: z.string().optional(),
    refreshToken: z.string().optional().describe('Without one the client asks in its own name (client credentials)'),
    refreshTokenFile: z.string().optional(),
    scope: z.string().optional(),
  })
  .refine(
    ({ clientSecret, clientSecretFile }) => !clientSecret || !clientSecretFile,
    'expected clientSecret or clientSecretFile, not both',
  )
  .refine(
    ({ refreshToken, refreshTokenFile }) => !refreshToken || !refreshTokenFile,
    'expected refreshToken or refreshTokenFile, not both',
  )

const hostName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

const certificateFile = z.string().superRefine((file, check) => {
  try {
    readCertificates(file)
  } catch (error) {
    check.addIssue({ code: 'custom', message: messageOf(error) })
  }
})

/** One SMTP server that takes messages. */
const relayServer = {
  name: z
    .string()
    .regex(/^[\w.-]{1,60}$/, 'expected letters, digits, dots and hyphens')
    .optional()
    .describe('As it stands on record where there are several; the host if absent'),
  host: z.string().min(1).default('localhost'),
  port: port.default(587),
  security: z
    .enum(['starttls', 'tls', 'none'])
    .default('starttls')
    .describe('starttls is required, not tried; tls from the first byte (port 465); none for a relay on this machine'),
  ca: certificateFile
    .optional()
    .describe(
      'A PEM file with the certificates to trust beside those that are built in: an own CA, or the relay itself',
    ),
  tlsServerName: z
    .string()
    .refine((name) => hostName.test(name) && isIP(name) === 0, 'expected a host name such as "mail.example.org"')
    .optional()
    .describe(
      'The name in the certificate, where the relay is reached by an address or another name; also sent as SNI',
    ),
  helo: z
    .string()
    .refine(
      (name) => (hostName.test(name) && isIP(name) === 0) || /^\[(\d+(\.\d+){3}|IPv6:[0-9a-f:.]+)\]$/i.test(name),
      'expected a host name such as "news.example.org", or an address such as "[192.0.2.1]"',
    )
    .optional()
    .describe("The name in EHLO; this host's full name if absent, or the domain of the contact address if it has none"),
  user: z.string().optional(),
  password: z.string().optional().describe('Better as LASTWORD_RELAY__PASSWORD_FILE, or passwordFile'),
  passwordFile: z.string().optional(),
  oauth2: oauth2.optional().describe('Signs in with an access token instead of a password'),
  connections: numericSetting(z.int().min(1).max(100)).default(5).describe('Open at once, of each process that sends'),
  messagesPerConnection: numericSetting(z.int().min(1)).default(100),
  perSecond: numericSetting(z.number().positive()).optional().describe('At most so many messages a second'),
  perDay: numericSetting(z.int().min(1)).optional().describe('At most so many messages a day, by UTC'),
  timeout: numericSetting(z.number().positive())
    .default(60)
    .describe('Seconds of silence after which a connection is given up'),
  weight: numericSetting(z.number().positive().max(1000))
    .default(1)
    .describe('Its share of the messages, beside the weights of the other relays'),
  standby: booleanSetting.default(false).describe('Takes messages only while none of the others can'),
}

type SignIn = {
  user?: string | undefined
  password?: string | undefined
  passwordFile?: string | undefined
  oauth2?: object | undefined
}

function checkSignIn({ user, password, passwordFile, oauth2 }: SignIn, check: z.RefinementCtx): void {
  const problem = (path: string, message: string) => check.addIssue({ code: 'custom', path: [path], message })
  const methodCount = [password, passwordFile, oauth2].filter((way) => way !== undefined).length
  if (methodCount > 1)
    problem(oauth2 ? 'oauth2' : 'passwordFile', 'expected one way to sign in: password, passwordFile or oauth2')
  if (oauth2 && user === undefined) problem('user', 'is needed with oauth2: whose mailbox it is')
}

/** In a personal return path a plus sign and a key of 48 characters follow the name: 64 in all (RFC 5321 §4.5.3.1.1). */
const maxPersonalNameLength = 15

function hasRoomForKey(address: string): boolean {
  return address.lastIndexOf('@') <= maxPersonalNameLength
}

type ReturnPath = { returnPath?: string | undefined; personalReturnPath: boolean }

function checkReturnPath({ returnPath, personalReturnPath }: ReturnPath, check: z.RefinementCtx): void {
  if (!personalReturnPath || returnPath === undefined || hasRoomForKey(returnPath)) return
  const message = `expected at most ${maxPersonalNameLength} characters before the @, because a key of 48 follows them: shorten it, or set personalReturnPath: false`
  check.addIssue({ code: 'custom', path: ['returnPath'], message })
}

/** The whole of `lastword.yml`. Every key here is read by something; unknown keys are errors. */
export const configSchema = z
  .strictObject({
    publication: z.strictObject({
      name: z.string().min(1).describe('The name on the masthead'),
      site: httpUrl.describe('The home page'),
      contact: address.describe('Where readers write; Reply-To of every message'),
      editors: address
        .optional()
        .describe('Where we write to when a feed is in trouble; the contact address if absent'),
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
        ...relayServer,
        returnPath: address
          .regex(/^(?![^@]{65})/, 'expected at most 64 characters before the @ (RFC 5321, section 4.5.3.1.1)')
          .optional()
          .describe('The envelope sender, where bounces go; the contact address if absent'),
        personalReturnPath: booleanSetting
          .default(true)
          .describe('Give each message an envelope sender of its own, name+key@domain; false: all have the same'),
        dkim: z
          .array(dkimKey)
          .max(2, 'expected one key or two: RSA-2048 and Ed25519')
          .default([])
          .describe('Signs every copy of an edition (RFC 6376) with each of these keys'),
      })
      .superRefine(checkSignIn)
      .superRefine(checkReturnPath)
      .prefault({}),
    relays: z
      .array(z.strictObject({ ...relayServer, host: z.string().min(1) }).superRefine(checkSignIn))
      .max(20)
      .default([])
      .describe('More relays, each with the keys of relay but returnPath, personalReturnPath and dkim'),
    pace: z
      .strictObject({
        providers: booleanSetting
          .default(true)
          .describe('Ask DNS who takes the mail of a domain: those with the same provider share its pace'),
        warmUp: z
          .strictObject({
            from: z.iso.date('expected a day such as "2026-11-23"').describe('The first day'),
            days: z
              .array(numericSetting(z.int().min(1)))
              .min(1)
              .describe('At most so many messages on the first day, the second and so on; then no limit'),
            zone: z
              .string()
              .refine(isTimeZone, 'expected an IANA time zone such as "Europe/London"')
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
          .overwrite((url) => url.replace(/\/+$/, ''))
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
          .regex(
            /^(file:.+|postgres(ql)?:\/\/.+)$/,
            'expected file:path/to/lastword.db or postgres://user@host/database',
          )
          .default(defaultStoreUrl),
      })
      .prefault({}),
    feeds: z
      .strictObject({
        allow: z
          .array(z.string().min(1))
          .default([])
          .describe('Hosts that may resolve to private or loopback addresses, as "host" or "host:port"'),
        timeout: numericSetting(z.number().positive().max(120)).default(20),
        maximumBytes: numericSetting(z.int().min(1024)).default(10 * 1024 * 1024),
        alertAfter: z
          .string()
          .regex(/^\d+ ?(m|h|d)$/, 'expected a length of time such as "90m", "12h" or "3d"')
          .default('24h')
          .describe('The editors are told of a feed that fails for longer than this'),
      })
      .prefault({}),
    articles: z
      .strictObject({
        keep: z
          .string()
          .regex(/^\d+ ?d$/, { error: 'expected a number of days such as "400d"', abort: true })
          .refine((text) => parseDurationMs(text) >= 60 * day, 'expected at least "60d"')
          .default('400d')
          .describe('An article that nothing needs is forgotten when its feed has not shown it for so long'),
      })
      .prefault({}),
    jobs: z.string().default('jobs').describe('The folder of the digests'),
    templates: z.string().default('templates').describe('The folder of the templates'),
    log: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  })
  .superRefine(({ relay, relays }, check) => {
    const all = relaysOf({ relay, relays })
    const names = all.map(relayName)
    const problem = (index: number, key: string, message: string) =>
      check.addIssue({ code: 'custom', path: ['relays', index - 1, key], message })
    names.forEach((name, index) => {
      if (names.indexOf(name) !== index) problem(index, 'name', `another relay is called ${name}`)
    })
    if (all.every(({ standby }) => standby))
      check.addIssue({ code: 'custom', path: ['relay', 'standby'], message: 'no relay is left that it could stand by' })
  })

export type Config = z.output<typeof configSchema>

const settings = {
  schema: configSchema,
  lists: ['feeds.allow', 'pace.warmUp.days'],
  alternatives: [
    ['relay.password', 'relay.passwordFile', 'relay.oauth2'],
    ['relay.oauth2.clientSecret', 'relay.oauth2.clientSecretFile'],
    ['relay.oauth2.refreshToken', 'relay.oauth2.refreshTokenFile'],
  ],
}

/**
 * Reads `lastword.yml` and the environment (`LASTWORD_section__key`, `…_FILE` for a file that holds the value),
 * checks the whole and returns it. Throws one AppError with every problem.
 */
export function readConfig(file: string, environment: Environment): Config {
  const found = existsSync(file)
  if (!found && !hasOverride(environment, 'publication')) {
    throw new AppError('missing', `${file} does not exist`, {
      hint: 'Run lastword init, which makes it from a sample, or point to yours with --config.',
    })
  }
  const written = found ? readYaml(file) : { file, data: {}, where: () => file }
  const { overrides, problems } = readOverrides(environment, settings)
  return withHelo(validateYaml(withOverrides(written, overrides, settings), configSchema, problems))
}

/** The name that each relay hears in EHLO is written out, so that everybody sees and uses the same. */
function withHelo(config: Config): Config {
  const helo = defaultHelo(hostname(), config.publication.contact)
  return { ...config, relay: { helo, ...config.relay }, relays: config.relays.map((one) => ({ helo, ...one })) }
}

/** All relays of the configuration, in its order. */
export function relaysOf({ relay, relays }: Pick<Config, 'relay' | 'relays'>): Config['relays'] {
  return [relay, ...relays]
}

/** By what a relay is known: in the ledger, in the log, and to whoever reads them. */
export function relayName({ name, host }: { name?: string | undefined; host: string }): string {
  return name ?? host
}

/** A setting of a relay as a person writes it down: `relay.ca`, or `ca` of one of `relays`, by its name. */
export function relaySetting(relay: Config['relays'][number], setting: string): string {
  return 'dkim' in relay ? `relay.${setting}` : `${setting} of the relay ${relayName(relay)}` // only `relay` has dkim
}

/**
 * The envelope sender (RFC 5321 §3.3): `relay.returnPath`, or the contact address. `isPersonal`: each copy of an edition
 * has its own, `name+key@domain`. A contact address with a name too long for a key is used as it is.
 */
export function envelopeSender({ relay, publication }: Pick<Config, 'relay' | 'publication'>): {
  address: string
  isPersonal: boolean
} {
  const address = relay.returnPath ?? publication.contact
  return { address, isPersonal: relay.personalReturnPath && hasRoomForKey(address) }
}

/** Where a setting stands: file and line, or the variable of this process's environment that gives it. */
export function configLocation(file: string, path: string[]): string {
  const { overrides } = readOverrides(process.env, settings)
  const written = existsSync(file) ? readYaml(file) : { file, data: {}, where: () => file }
  return withOverrides(written, overrides, settings).where(path)
}

/** The configuration of this process: the file named, and its environment. */
export function readProcessConfig(file: string): Config {
  return readConfig(file, process.env)
}

/** The files whose content the environment gives as a setting (`…_FILE`), by the variable. */
export function environmentSecretFiles(): { setting: string; file: string }[] {
  const { overrides } = readOverrides(process.env, settings)
  return overrides.flatMap(({ name, file }) => (file === undefined ? [] : [{ setting: name, file }]))
}

/** The store that the environment names, for what has no configuration file. */
export function environmentStoreUrl(): string | undefined {
  const { overrides } = readOverrides(process.env, settings)
  const url = overrides.find(({ path }) => path.join('.') === 'store.url')?.value
  return url === undefined ? undefined : String(url)
}
