import { canonicalAddress } from '../store/canonical.ts'
import { decodeText } from './decode.ts'
import type { Fetcher } from './fetch.ts'
import { plainText } from './text.ts'
import { absolute } from './url.ts'

/** What the page of an article says now. `unknown`: the network failed, which says nothing about the article. */
export type AskedAgain =
  | { kind: 'gone'; reason: string }
  | { kind: 'there'; canonical: string; title: string }
  | { kind: 'unknown'; reason: string }

const gone = [404, 410, 451]
const headBytes = 256 * 1024

/** Asks for the page of an article once more, for at most `milliseconds`. Never throws for what a server does. */
export async function askAgain(fetcher: Fetcher, url: string, milliseconds: number): Promise<AskedAgain> {
  const fetched = await fetcher.get(url, { accept: 'text/html, */*;q=0.5', signal: AbortSignal.timeout(milliseconds) })
  if (fetched.kind === 'unchanged') return { kind: 'unknown', reason: 'unchanged' }
  if (fetched.kind === 'failed') {
    const { reason, status } = fetched
    return status !== null && gone.includes(status) ? { kind: 'gone', reason } : { kind: 'unknown', reason }
  }
  const html = decodeText(fetched.bytes.subarray(0, headBytes), fetched.contentType)
  const canonical = linkOf(html)
  const title = attributeOf(html, /<meta\b[^>]{0,500}\bproperty\s*=\s*["']?og:title\b[^>]{0,2000}>/i, 'content')
  return {
    kind: 'there',
    canonical: canonicalAddress((canonical && absolute(canonical, fetched.url)) || fetched.url),
    title: plainText({ value: title, kind: 'perhaps-html' }, 500),
  }
}

function linkOf(html: string): string {
  return attributeOf(html, /<link\b[^>]{0,500}\brel\s*=\s*["']?canonical\b[^>]{0,2000}>/i, 'href')
}

/** The value of an attribute of the first element that the pattern finds, entities decoded. */
function attributeOf(html: string, element: RegExp, name: string): string {
  const tag = element.exec(html)?.[0] ?? ''
  const [, quoted, apart] = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag) ?? []
  return plainText({ value: quoted ?? apart ?? '', kind: 'perhaps-html' })
}
