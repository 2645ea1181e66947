import { AppError, messageOf } from '../errors.ts'
import { maskUrl } from '../text/mask-url.ts'
import { type Config, relaySetting, relaysOf } from './config.ts'
import { readSecretFile } from './secret-file.ts'

/** A setting for a secret file, as in messages, and the file. */
export type SecretFile = { setting: string; file: string }

/** The configuration with its secrets masked. */
export function maskSecrets(config: Config): Config {
  const mask = '********'
  const masked = structuredClone(config)
  for (const relay of relaysOf(masked)) {
    if (relay.password !== undefined) relay.password = mask
    if (relay.oauth2?.clientSecret !== undefined) relay.oauth2.clientSecret = mask
    if (relay.oauth2?.refreshToken !== undefined) relay.oauth2.refreshToken = mask
    if (relay.oauth2) relay.oauth2.tokenUrl = maskUrl(relay.oauth2.tokenUrl)
  }
  for (const one of masked.relay.dkim) if (one.key !== undefined) one.key = mask
  if (masked.web.secret !== undefined) masked.web.secret = mask
  masked.store.url = maskUrl(masked.store.url)
  return masked
}

/** The secret files of the configuration. */
export function secretFilesOf(config: Config): SecretFile[] {
  const files = relaysOf(config).flatMap((relay) => [
    { setting: relaySetting(relay, 'passwordFile'), file: relay.passwordFile },
    { setting: relaySetting(relay, 'oauth2.clientSecretFile'), file: relay.oauth2?.clientSecretFile },
    { setting: relaySetting(relay, 'oauth2.refreshTokenFile'), file: relay.oauth2?.refreshTokenFile },
  ])
  const keys = config.relay.dkim.map(({ keyFile, selector, domain }) => ({
    setting: `relay.dkim: the key ${selector}._domainkey.${domain}`,
    file: keyFile,
  }))
  return [...files, ...keys].flatMap(({ setting, file }) => (file === undefined ? [] : [{ setting, file }]))
}

/** Throws one AppError with each secret file that is missing, unreadable or empty. */
export function checkSecretFiles(config: Config): void {
  const problems = secretFilesOf(config).flatMap(({ setting, file }) => {
    try {
      readSecretFile(file, setting)
      return []
    } catch (error) {
      return [messageOf(error)]
    }
  })
  if (problems.length === 0) return
  throw new AppError('invalid', problems.join('\n'), {
    hint: 'Correct the setting in lastword.yml, or make the file, readable for the user that runs lastword.',
  })
}

/** Whether the data of a configuration file contains a secret, instead of the name of a secret file. */
export function hasSecret(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false
  return Object.entries(data).some(([key, value]) =>
    typeof value === 'string'
      ? /^(password|clientSecret|refreshToken|secret|key)$/.test(key) || (key === 'url' && maskUrl(value) !== value)
      : hasSecret(value),
  )
}
