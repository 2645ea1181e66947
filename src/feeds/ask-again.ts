import { canonicalAddress } from '../store/canonical.ts'
import type { Note } from './correction-note.ts'
import type { Fetcher } from './fetch.ts'
import { contextOf, readInWorker } from './pool.ts'

/** What the page of an article says now. `unknown`: the network failed, which says nothing about the article. */
export type AskedAgain =
  | { kind: 'gone'; reason: string }
  | {
      kind: 'there'
      canonical: string
      /** Empty: it names none. */
      title: string
      /** It says of itself that it is an article, and not, say, a form to sign in. */
      isArticle: boolean
      /** The correction that it tells of. */
      note: Note | null
    }
  | { kind: 'unknown'; reason: string }

const gone = [404, 410, 451]
const pageBytes = 1024 * 1024

/**
 * Asks for the page of an article once more, for at most `milliseconds`; `refuse` may say of each address on the way why
 * it is not to be asked. Never throws for what a server does.
 */
export async function askAgain(
  fetcher: Pick<Fetcher, 'get'>,
  url: string,
  milliseconds: number,
  refuse?: (url: URL) => Promise<string | null>,
): Promise<AskedAgain> {
  const signal = AbortSignal.timeout(milliseconds)
  const options = { accept: 'text/html, */*;q=0.5', signal, atMost: pageBytes, ...(refuse && { refuse }) }
  const fetched = await fetcher.get(url, options)
  if (fetched.kind === 'unchanged') return { kind: 'unknown', reason: 'unchanged' }
  if (fetched.kind === 'failed') {
    const { reason, status } = fetched
    return status !== null && gone.includes(status) ? { kind: 'gone', reason } : { kind: 'unknown', reason }
  }
  const read = await readInWorker('state', fetched.bytes, contextOf(fetched))
  if ('failed' in read) return { kind: 'unknown', reason: read.failed }
  const { canonical, ...state } = read
  return { kind: 'there', canonical: canonicalAddress(canonical ?? fetched.url), ...state }
}
