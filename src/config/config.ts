import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'
import { AppError } from '../errors.ts'
import { isLanguageTag, languageTagMessage, languageTagPattern } from '../text/language-tag.ts'
import { day, parseDurationMs } from '../time/clock.ts'
import { isTimeZone } from '../time/zone.ts'
import { defaultHelo } from './default-helo.ts'
import { type Environment, hasOverride, readOverrides, withOverrides } from './overrides.ts'
import { checkReturnPath, checkSignIn, dkimKey, hasRoomForKey, relayServer } from './relay-schema.ts'
import { booleanSetting, numericSetting, port } from './setting-types.ts'
import { readYaml, validateYaml } from './yaml.ts'

const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'expected a colour such as "#0b4f6c"')
/** Relative to the folder of the configuration. */
export const defaultStoreUrl = 'file:data/lastword.db'

const address = z.email('expected an email address')
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http or https address' })
  .regex(/^\w+:\/\/[^\s\\]+$/, 'expected an http or https address')

/** `lastword.yml`; unknown keys are errors. */
export const configSchema = z
  .strictObject({
    publication: z.strictObject({
      name: z.string().min(1).describe('The name on the masthead'),
      site: httpUrl.describe('The home page'),
      contact: address.describe('For replies of readers: Reply-To of every message'),
      editors: address.optional().describe('Gets notices, such as failing feeds; the contact address if absent'),
      address: z.string().min(1).describe('The postal address in the footer, which the law requires'),
      tagline: z.string().default('').describe('One line under the masthead'),
      logo: httpUrl.optional().describe('A PNG or JPEG, shown 48 px high on the masthead'),
      language: z
        .string()
        .regex(languageTagPattern, { message: languageTagMessage, abort: true })
        .refine(isLanguageTag, languageTagMessage)
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
          .describe('The envelope sender, which gets bounces; the contact address if absent'),
        personalReturnPath: booleanSetting
          .default(true)
          .describe('A different envelope sender for each message, name+key@domain; false: the same for all'),
        dkim: z
          .array(dkimKey)
          .max(2, 'expected one key or two: RSA-2048 and Ed25519')
          .default([])
          .describe('Every message is signed with each of these keys (RFC 6376)'),
      })
      .superRefine(checkSignIn)
      .superRefine(checkReturnPath)
      .prefault({}),
    relays: z
      .array(z.strictObject({ ...relayServer, host: z.string().min(1) }).superRefine(checkSignIn))
      .max(20)
      .default([])
      .describe('More relays, with the keys of relay except returnPath, personalReturnPath and dkim'),
    pace: z
      .strictObject({
        providers: booleanSetting
          .default(true)
          .describe('Look up the mail provider of each domain in DNS: domains of one provider share its limits'),
        warmUp: z
          .strictObject({
            from: z.iso.date('expected a day such as "2026-11-23"').describe('The first day'),
            days: z
              .array(numericSetting(z.int().min(1)))
              .min(1)
              .describe('Maximum of messages on the first day, the second and so on; then no limit'),
            zone: z
              .string()
              .refine(isTimeZone, 'expected an IANA time zone such as "Europe/London"')
              .default('UTC')
              .describe('The time zone of the days'),
          })
          .optional()
          .describe('For a new relay or domain: the maximum of messages on each day, over all editions'),
      })
      .prefault({}),
    web: z
      .strictObject({
        url: httpUrl
          .regex(/^[^?#]*$/, 'expected an address without ? and #, because paths are added to it')
          .overwrite((url) => url.replace(/\/+$/, ''))
          .default('http://localhost:3000')
          .describe('The public address of the pages, used in every email'),
        host: z.string().default('127.0.0.1').describe('The interface to listen on'),
        port: port.default(3000),
        secret: z
          .string()
          .min(32, 'expected at least 32 characters')
          .optional()
          .describe('Signs the links in emails. Created at the first start and saved in the store if absent'),
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
          .describe('Editors are notified of a feed that fails for longer'),
      })
      .prefault({}),
    articles: z
      .strictObject({
        keep: z
          .string()
          .regex(/^\d+ ?d$/, { error: 'expected a number of days such as "400d"', abort: true })
          .refine((text) => parseDurationMs(text) >= 60 * day, 'expected at least "60d"')
          .default('400d')
          .describe('An unused article is deleted when its feed has not contained it for as long'),
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
      check.addIssue({
        code: 'custom',
        path: ['relay', 'standby'],
        message: 'all relays are on standby: expected at least one that is not',
      })
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
 * Reads and checks `lastword.yml` and the environment (`LASTWORD_section__key`, `…_FILE` for a file with the value). Throws
 * one AppError with all problems.
 */
export function readConfig(file: string, environment: Environment): Config {
  const found = existsSync(file)
  if (!found && !hasOverride(environment, 'publication')) {
    throw new AppError('missing', `${file} does not exist`, {
      hint: 'Run lastword init to create it from a sample, or name your file with --config.',
    })
  }
  const written = found ? readYaml(file) : { file, data: {}, where: () => file }
  const { overrides, problems } = readOverrides(environment, settings)
  return withHelo(validateYaml(withOverrides(written, overrides, settings), configSchema, problems))
}

/** Sets the EHLO name of each relay that has none. */
function withHelo(config: Config): Config {
  const helo = defaultHelo(hostname(), config.publication.contact)
  return { ...config, relay: { helo, ...config.relay }, relays: config.relays.map((one) => ({ helo, ...one })) }
}

/** All relays of the configuration, in its order. */
export function relaysOf({ relay, relays }: Pick<Config, 'relay' | 'relays'>): Config['relays'] {
  return [relay, ...relays]
}

/** The name of a relay in records and logs. */
export function relayName({ name, host }: { name?: string | undefined; host: string }): string {
  return name ?? host
}

/** A setting of a relay for messages: `relay.ca`, or `ca of the relay NAME`. */
export function relaySetting(relay: Config['relays'][number], setting: string): string {
  return 'dkim' in relay ? `relay.${setting}` : `${setting} of the relay ${relayName(relay)}` // only `relay` has dkim
}

/**
 * The envelope sender (RFC 5321 §3.3): `relay.returnPath`, or the contact address. `isPersonal`: each message has a
 * different one, `name+key@domain`, if the name leaves room for the key.
 */
export function envelopeSender({ relay, publication }: Pick<Config, 'relay' | 'publication'>): {
  address: string
  isPersonal: boolean
} {
  const address = relay.returnPath ?? publication.contact
  return { address, isPersonal: relay.personalReturnPath && hasRoomForKey(address) }
}

/** The place of a setting: file and line, or the environment variable. */
export function configLocation(file: string, path: string[]): string {
  const { overrides } = readOverrides(process.env, settings)
  const written = existsSync(file) ? readYaml(file) : { file, data: {}, where: () => file }
  return withOverrides(written, overrides, settings).where(path)
}

/** The configuration of this process, from the file and its environment. */
export function readProcessConfig(file: string): Config {
  return readConfig(file, process.env)
}

/** The files that environment variables `…_FILE` name. */
export function environmentSecretFiles(): { setting: string; file: string }[] {
  const { overrides } = readOverrides(process.env, settings)
  return overrides.flatMap(({ name, file }) => (file === undefined ? [] : [{ setting: name, file }]))
}

/** The store URL in the environment, for commands without a configuration file. */
export function environmentStoreUrl(): string | undefined {
  const { overrides } = readOverrides(process.env, settings)
  const url = overrides.find(({ path }) => path.join('.') === 'store.url')?.value
  return url === undefined ? undefined : String(url)
}
