import { vi } from 'vitest'

/** Each look at the clock of the machine finds it so many milliseconds later. */
export function slowClock(milliseconds: number): void {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += milliseconds
    return now
  })
}

/** How many turns of the event loop others had while the work ran. */
export async function countTurns<T>(work: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0
  let isDone = false
  const turn = () => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  const next = setImmediate(turn)
  const result = await work()
  isDone = true
  clearImmediate(next)
  return { result, turns }
}
