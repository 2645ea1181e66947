import { isIP } from 'node:net'
import { z } from 'zod'
import { messageOf } from '../errors.ts'
import { readCertificates } from './pem-file.ts'
import { booleanSetting, numericSetting, port } from './setting-types.ts'

export const dkimKey = z
  .strictObject({
    domain: z.string().regex(/^[a-z0-9.-]+$/i, 'expected a domain in ASCII'),
    selector: z.string().regex(/^[a-z0-9._-]+$/i, 'expected the name before ._domainkey'),
    key: z.string().optional().describe('The private key as PEM'),
    keyFile: z.string().optional().describe('Its file: better than the key itself'),
  })
  .refine(({ key, keyFile }) => (key === undefined) !== (keyFile === undefined), 'expected key or keyFile, one of them')

const oauth2 = z
  .strictObject({
    tokenUrl: z
      .url()
      .regex(/^(https:|http:\/\/(localhost|127\.0\.0\.1)[:/])/, 'expected an https address')
      .describe('The token endpoint (RFC 6749 §3.2)'),
    clientId: z.string().min(1),
    clientSecret: z.string().optional(),
    clientSecretFile: z.string().optional(),
    refreshToken: z.string().optional().describe('Without it the client credentials grant is used'),
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

/** The settings of one SMTP server. */
export const relayServer = {
  name: z
    .string()
    .regex(/^[\w.-]{1,60}$/, 'expected letters, digits, dots and hyphens')
    .optional()
    .describe('The name in logs and records; the host if absent'),
  host: z.string().min(1).default('localhost'),
  port: port.default(587),
  security: z
    .enum(['starttls', 'tls', 'none'])
    .default('starttls')
    .describe('starttls is required, not tried; tls from the first byte (port 465); none for a relay on this machine'),
  ca: certificateFile
    .optional()
    .describe('A PEM file with certificates to trust beside the built-in ones: of your own CA, or of the relay itself'),
  tlsServerName: z
    .string()
    .refine((name) => hostName.test(name) && isIP(name) === 0, 'expected a host name such as "mail.example.org"')
    .optional()
    .describe(
      'The name in the certificate, if the relay is reached by an IP address or another name; also sent as SNI',
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
  connections: numericSetting(z.int().min(1).max(100))
    .default(5)
    .describe('Parallel connections of each process that sends'),
  messagesPerConnection: numericSetting(z.int().min(1)).default(100),
  perSecond: numericSetting(z.number().positive()).optional().describe('Maximum of messages a second'),
  perDay: numericSetting(z.int().min(1)).optional().describe('Maximum of messages a day (UTC)'),
  timeout: numericSetting(z.number().positive())
    .default(60)
    .describe('Seconds without an answer after which a connection is closed'),
  weight: numericSetting(z.number().positive().max(1000))
    .default(1)
    .describe('Its share of the messages, beside the weights of the other relays'),
  standby: booleanSetting.default(false).describe('Used only while no other relay can send'),
  catcher: booleanSetting
    .default(false)
    .describe('A mail catcher for tests, here or in the local network: nothing is delivered, so samples may be sent'),
}

type SignIn = {
  user?: string | undefined
  password?: string | undefined
  passwordFile?: string | undefined
  oauth2?: object | undefined
}

export function checkSignIn({ user, password, passwordFile, oauth2 }: SignIn, check: z.RefinementCtx): void {
  const problem = (path: string, message: string) => check.addIssue({ code: 'custom', path: [path], message })
  const methodCount = [password, passwordFile, oauth2].filter((way) => way !== undefined).length
  if (methodCount > 1)
    problem(oauth2 ? 'oauth2' : 'passwordFile', 'expected one way to sign in: password, passwordFile or oauth2')
  if (oauth2 && user === undefined) problem('user', 'is needed with oauth2: the mailbox')
}

/** A personal return path adds a plus sign and a key of 48 characters, to at most 64 (RFC 5321 §4.5.3.1.1). */
const maxPersonalNameLength = 15

export function hasRoomForKey(address: string): boolean {
  return address.lastIndexOf('@') <= maxPersonalNameLength
}

type ReturnPath = { returnPath?: string | undefined; personalReturnPath: boolean }

export function checkReturnPath({ returnPath, personalReturnPath }: ReturnPath, check: z.RefinementCtx): void {
  if (!personalReturnPath || returnPath === undefined || hasRoomForKey(returnPath)) return
  const message = `expected at most ${maxPersonalNameLength} characters before the @, because a key of 48 follows them: shorten it, or set personalReturnPath: false`
  check.addIssue({ code: 'custom', path: ['returnPath'], message })
}
