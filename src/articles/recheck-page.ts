import type { CorrectionNote } from '../feeds/markup/correction-note.ts'
import { pageContext, readInWorker } from '../feeds/parse/reader-pool.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { canonicalAddress } from '../store/articles/canonical-address.ts'

/** What the page of an article says now. `unknown`: the network failed, which says nothing about the article. */
export type PageCheck =
  /** `isLasting`: 410 or 451, which is said on purpose; 404 is also what a site says that is broken. */
  | { kind: 'gone'; reason: string; isLasting: boolean }
  | {
      kind: 'there'
      /** The address that the page names for itself, else where it answered: as it stands there … */
      address: string
      /** … and in the form by which addresses are compared. */
      canonical: string
      /** Empty: it names none. */
      title: string
      /** It says of itself that it is an article, and not, say, a form to sign in. */
      isArticle: boolean
      /** The correction that it tells of. */
      note: CorrectionNote | null
    }
  | { kind: 'unknown'; reason: string }

const goneStatuses = [404, 410, 451]
const maxPageBytes = 1024 * 1024

/**
 * Asks for the page of an article once more, for at most `milliseconds`; `refuse` may say of each address on the way why
 * it is not to be asked. Never throws for what a server does.
 */
export async function recheckPage(
  fetcher: Pick<Fetcher, 'get'>,
  url: string,
  timeoutMs: number,
  refuse?: (url: URL) => Promise<string | null>,
): Promise<PageCheck> {
  const signal = AbortSignal.timeout(timeoutMs)
  const options = { accept: 'text/html, */*;q=0.5', signal, atMost: maxPageBytes, ...(refuse && { refuse }) }
  const fetched = await fetcher.get(url, options)
  if (fetched.kind === 'unchanged') return { kind: 'unknown', reason: 'unchanged' }
  if (fetched.kind === 'failed') {
    const { reason, status } = fetched
    if (status === null || !goneStatuses.includes(status)) return { kind: 'unknown', reason }
    return { kind: 'gone', reason, isLasting: status !== 404 }
  }
  const read = await readInWorker('state', fetched.bytes, pageContext(fetched))
  if ('failed' in read) return { kind: 'unknown', reason: read.failed }
  const { canonical, ...state } = read
  const address = canonical ?? fetched.url
  return { kind: 'there', address, canonical: canonicalAddress(address), ...state }
}
