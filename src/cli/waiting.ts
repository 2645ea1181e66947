import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { heldFeeds } from '../store/stories.ts'
import { safe, tell } from './output.ts'

/** Says of each feed of the digest, or of all, whose articles wait for an editor, why, and what to do. */
export async function tellOfWaiting({ db }: App, digest?: Digest): Promise<void> {
  for (const { url, digest: name, count, reason } of await heldFeeds(db)) {
    if (digest && digest.name !== name) continue
    tell(`${name}: ${count} articles of ${safe(url)} wait for an editor: ${safe(reason ?? '')}`)
    tell(`  lastword feeds release ${safe(url)}   they are new`)
    tell(`  lastword feeds ignore ${safe(url)}    they are old`)
  }
}
