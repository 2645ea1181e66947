import type { App } from '../../src/app.ts'
import { EditionPipeline } from '../../src/pipeline/advance.ts'
import { makeDue } from '../../src/pipeline/make-due.ts'
import type { Sender } from '../../src/pipeline/sending/sender.ts'

/** Makes the due runs of all digests in parallel. Returns the number of editions made. */
export async function makeDueEditions(app: App): Promise<number> {
  const made = await Promise.all(app.digests.map((digest) => makeDue(app, digest)))
  return made.reduce((sum, count) => sum + count, 0)
}

/** Seals, approves (where the digest needs no editor) and sends every edition that can proceed. Waits until done. */
export async function advanceEditions(app: App, sender: Sender, signal?: AbortSignal): Promise<void> {
  const pipeline = new EditionPipeline(app, sender, signal)
  await pipeline.advance()
  await pipeline.idle()
}
