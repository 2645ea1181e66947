import type { App } from '../../app.ts'
import { describeReason } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { quarantinedFeeds } from '../../store/ledger/stories.ts'
import { printStderr, sanitizeLine } from '../terminal/output.ts'

/** Warns of each feed of the digest, or of all digests, with quarantined articles: why, and what to do. */
export async function warnOfQuarantinedFeeds({ db }: App, digest?: Digest): Promise<void> {
  for (const { url, digest: name, count, reason } of await quarantinedFeeds(db)) {
    if (digest && digest.name !== name) continue
    const why = reason === null ? '' : describeReason(reason)
    printStderr(`${name}: ${count} articles of ${sanitizeLine(url)} wait for an editor: ${sanitizeLine(why)}`)
    printStderr(`  lastword feeds release ${sanitizeLine(url)}   if they are new`)
    printStderr(`  lastword feeds ignore ${sanitizeLine(url)}    if they are old`)
  }
}
