import { canonicalAddress } from '../store/canonical.ts'
import type { Note } from './correction-note.ts'
import { decodeText } from './decode.ts'
import type { Fetcher } from './fetch.ts'
import { readState } from './page-state.ts'

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

/** Asks for the page of an article once more, for at most `milliseconds`. Never throws for what a server does. */
export async function askAgain(fetcher: Fetcher, url: string, milliseconds: number): Promise<AskedAgain> {
  const fetched = await fetcher.get(url, { accept: 'text/html, */*;q=0.5', signal: AbortSignal.timeout(milliseconds) })
  if (fetched.kind === 'unchanged') return { kind: 'unknown', reason: 'unchanged' }
  if (fetched.kind === 'failed') {
    const { reason, status } = fetched
    return status !== null && gone.includes(status) ? { kind: 'gone', reason } : { kind: 'unknown', reason }
  }
  const html = decodeText(fetched.bytes.subarray(0, pageBytes), fetched.contentType)
  const { canonical, ...state } = readState(html, fetched.url)
  return { kind: 'there', canonical: canonicalAddress(canonical ?? fetched.url), ...state }
}
