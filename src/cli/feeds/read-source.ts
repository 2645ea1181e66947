import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { userAgentOf } from '../../app.ts'
import { readProcessConfig } from '../../config/config.ts'
import { AppError, messageOf, systemCode } from '../../errors.ts'
import { type Fetcher, openFetcher } from '../../http/fetcher.ts'
import { configFile } from '../with-app.ts'

export type Source = { bytes: Uint8Array; url: string; contentType: string | null }

/** What stands at an address or in a file. AppError `unavailable` or `missing`. */
export async function readSource(source: string, fetcher: Pick<Fetcher, 'get'>, accept?: string): Promise<Source> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    const fetched = await fetcher.get(source, accept === undefined ? {} : { accept })
    if (fetched.kind === 'ok') return fetched
    throw new AppError('unavailable', fetched.kind === 'failed' ? fetched.reason : 'unchanged')
  }
  try {
    return { bytes: await readFile(source), url: pathToFileURL(source).href, contentType: null }
  } catch (error) {
    const what = systemCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)
    throw new AppError('missing', what)
  }
}

/** What to do about a feed or a page that is refused for where it is; undefined for any other reason. */
export function allowHint(reason: string): string | undefined {
  return reason.includes('is not a public address')
    ? 'If it is yours, name its host (or host:port) under feeds.allow in lastword.yml.'
    : undefined
}

/** Files need no configuration; an address needs it for the hosts that may be private. */
export function lazyFetcher(command: Command): Pick<Fetcher, 'get' | 'close'> {
  let fetcher: Fetcher | undefined
  return {
    get(url, options) {
      const config = readProcessConfig(configFile(command))
      fetcher ??= openFetcher({ ...config.feeds, userAgent: userAgentOf(config) })
      return fetcher.get(url, options)
    },
    close: async () => fetcher?.close(),
  }
}
