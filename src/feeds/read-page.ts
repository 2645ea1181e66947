import type { PageFacts } from '../store/pages.ts'
import { decodeText } from './decode.ts'
import { readPage } from './page.ts'
import { type PageState, readState } from './page-state.ts'
import type { PageContext } from './page-text.ts'
import { factsInWorker, stateInWorker } from './pool.ts'

/** Above this a worker does it: a megabyte takes up to 0.3 s of the event loop, which is promised 100 ms at most. */
const largeBytes = 64 * 1024

type Failed = { failed: string }

/** What a page says of itself. Never throws for what is in it; one that takes seconds is given up. */
export async function factsOfPage(bytes: Uint8Array, context: PageContext): Promise<PageFacts | Failed> {
  return bytes.length > largeBytes ? await factsInWorker(bytes, context) : factsHere(bytes, context)
}

/** How a page stands: its headline, its address, the correction that it tells of. The same holds. */
export async function stateOfPage(bytes: Uint8Array, context: PageContext): Promise<PageState | Failed> {
  return bytes.length > largeBytes ? await stateInWorker(bytes, context) : stateHere(bytes, context)
}

/** The same on this thread, however large. */
export function factsHere(bytes: Uint8Array, { url, contentType }: PageContext): PageFacts {
  return readPage(decodeText(bytes, contentType), url)
}

export function stateHere(bytes: Uint8Array, { url, contentType }: PageContext): PageState {
  return readState(decodeText(bytes, contentType), url)
}
