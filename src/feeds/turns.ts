/** Fetches ahead of time, and then does the work on what came when its turn has come. */
export type InTurn = <Fetched, Done>(
  fetch: () => Promise<Fetched>,
  work: (fetched: Fetched) => Promise<Done>,
) => Promise<Done>

/**
 * Lets no more than `atOnce` of many tasks work at the same time, in the order in which they come, and begins each in a
 * turn of the event loop of its own: what they do without waiting never adds up. While `ahead` have fetched and wait, no
 * other fetches: memory holds what is worked on, not what the network can bring.
 */
export function openTurns(atOnce: number, ahead: number): InTurn {
  const fetched: (() => void)[] = []
  const outside: (() => void)[] = []
  let atWork = 0
  let lastStart: Promise<unknown> = Promise.resolve()
  const letIn = () => {
    if (fetched.length < ahead) outside.shift()?.()
  }

  return async (fetch, work) => {
    while (fetched.length >= ahead) await new Promise<void>((resolve) => outside.push(resolve))
    const result = await fetch().catch((error) => {
      letIn()
      throw error
    })
    if (atWork < atOnce) atWork++
    else await new Promise<void>((resolve) => fetched.push(resolve)) // whoever ends hands its place on
    lastStart = lastStart.then(() => new Promise((resolve) => setImmediate(resolve)))
    await lastStart
    try {
      return await work(result)
    } finally {
      const next = fetched.shift()
      if (next) next()
      else atWork--
      letIn()
    }
  }
}
