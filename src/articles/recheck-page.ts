import type { CorrectionNote } from '../feeds/markup/correction-note.ts'
import { pageContext, readInWorker } from '../feeds/parse/reader-pool.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { canonicalAddress } from '../store/articles/canonical-address.ts'

/** The state of an article's page. `unknown`: the network failed, which says nothing about the article. */
export type PageCheck =
  /** `isLasting`: 410 or 451, which are sent on purpose; a broken site also sends 404. */
  | { kind: 'gone'; reason: string; isLasting: boolean }
  | {
      kind: 'there'
      /** The canonical address in the page, else the address after redirects. */
      address: string
      /** `address` in the form in which addresses are compared. */
      canonical: string
      /** Empty if the page has none. */
      title: string
      /** By its metadata; false for a sign-in form, for example. */
      isArticle: boolean
      note: CorrectionNote | null
    }
  | { kind: 'unknown'; reason: string }

const goneStatuses = [404, 410, 451]
const maxPageBytes = 1024 * 1024

/**
 * Fetches the page of an article again. `refuse` gives the reason not to fetch a URL, redirects included, or null. Never
 * throws for what a server does.
 */
export async function recheckPage(
  fetcher: Pick<Fetcher, 'get'>,
  url: string,
  timeoutMs: number,
  refuse?: (url: URL) => Promise<string | null>,
): Promise<PageCheck> {
  const signal = AbortSignal.timeout(timeoutMs)
  const fetched = await fetcher.get(url, {
    accept: 'text/html, */*;q=0.5',
    signal,
    truncateAtBytes: maxPageBytes,
    ...(refuse && { refuse }),
  })
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
