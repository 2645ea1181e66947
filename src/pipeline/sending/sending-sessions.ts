import type { App } from '../../app.ts'
import { editionAdmission } from '../../deliveries/limits/edition-admission.ts'
import { type PassEnd, sendDue } from '../../deliveries/rounds.ts'
import { sendingStopReason } from '../../deliveries/sending-stop.ts'
import { GivenSlices } from '../../deliveries/slice-source.ts'
import { untilStored } from '../../deliveries/until-stored.ts'
import { currentSendingStop } from '../../store/deliveries/sending-stop.ts'
import { editionById } from '../../store/editions/editions.ts'
import type { Sender } from './sender.ts'
import { sendingNeeds } from './sending-needs.ts'
import { withSync } from './sync.ts'

/** `end` is the result of the pass; it is undefined if the pass failed with `err`. */
type OnEnd = (editionId: string, end: PassEnd | undefined, err?: unknown) => Promise<void>

/**
 * The editions that this process is sending. The slices of one edition share a pass without pauses, so relay replies to
 * the first slice count for the last; the pass ends when no more slices arrive.
 */
export class SendingSessions {
  readonly #app: App
  readonly #sender: Sender
  readonly #signal: AbortSignal | undefined
  readonly #onEnd: OnEnd
  readonly #open = new Map<string, GivenSlices>()
  readonly #running = new Set<Promise<void>>()

  constructor(app: App, sender: Sender, signal: AbortSignal | undefined, onEnd: OnEnd) {
    this.#app = app
    this.#sender = sender
    this.#signal = signal
    this.#onEnd = onEnd
  }

  isOpen(editionId: string): boolean {
    return this.#open.has(editionId)
  }

  /** Sends the due deliveries of one slice. Resolves when they are sent or cannot be sent now. */
  sendSlice(editionId: string, firstId: string): Promise<void> {
    const open = this.#open.get(editionId)
    if (open) return open.send(firstId)
    const slices = new GivenSlices(
      { ...this.#app, engine: this.#app.store.engine },
      { editionId, workerId: this.#sender.worker.id },
    )
    const sent = slices.send(firstId)
    this.#open.set(editionId, slices)
    const running = this.#run(editionId, slices).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return sent
  }

  get isBusy(): boolean {
    return this.#running.size > 0
  }

  /** Resolves when every session has ended and its end has been reported. */
  async idle(): Promise<void> {
    while (this.isBusy) await Promise.all(this.#running)
  }

  async #run(editionId: string, slices: GivenSlices): Promise<void> {
    let end: PassEnd | undefined
    let failure: unknown
    try {
      end = await this.#pass(editionId, slices)
    } catch (err) {
      failure = err
    }
    this.#open.delete(editionId)
    slices.close()
    await this.#onEnd(editionId, end, failure)
  }

  async #pass(editionId: string, source: GivenSlices): Promise<PassEnd> {
    const app = this.#app
    const needs = await sendingNeeds(app, this.#sender, editionId)
    const options = { source, ...(this.#signal && { signal: this.#signal }) }
    return await withSync(app, () =>
      untilStored({ ...needs, signal: this.#signal }, async () => {
        const sendingStop = await currentSendingStop(app.db)
        if (sendingStop) return { stopped: sendingStopReason(sendingStop), over: true, wait: undefined }
        const edition = await editionById(app.db, editionId)
        if (edition?.status !== 'sending') return { stopped: null, over: true, wait: undefined }
        const admission = editionAdmission(needs, needs.rules)
        try {
          return await sendDue(needs, edition, options, admission)
        } finally {
          await admission.close()
        }
      }),
    )
  }
}
