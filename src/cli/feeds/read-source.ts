import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { userAgentOf } from '../../app.ts'
import { readProcessConfig } from '../../config/config.ts'
import { AppError, messageOf, systemCode } from '../../errors.ts'
import { type Fetcher, openFetcher } from '../../http/fetcher.ts'
import { configFile } from '../with-app.ts'

export type Source = { bytes: Uint8Array; url: string; contentType: string | null }

/** Reads an address or a file. AppError `unavailable` or `missing`. */
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

/** A hint for an address that is not allowed; undefined for any other reason. */
export function allowHint(reason: string): string | undefined {
  return reason.includes('is not a public address')
    ? 'If it is your own server, add its host (or host:port) to feeds.allow in lastword.yml.'
    : undefined
}

/** Reads the configuration at the first fetch, so that files can be read without one. */
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
