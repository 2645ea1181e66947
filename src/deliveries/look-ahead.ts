/** Prepares the next items before they are needed. */
export type LookAhead<T> = {
  /** The next item; undefined when there are no more. */
  take(): T | undefined | Promise<T | undefined>
  /** The item that `take` would return, if it is ready now. */
  readonly next: T | undefined
  /** Starts preparing the missing items. */
  fill(): void
  /** Returns the prepared items that were not taken, and clears them. */
  rest(): Promise<T[]>
}

type Slot<T> = { made: T | undefined; making: Promise<T | undefined> | undefined }

/** Prepares up to `depth` items ahead, in order. An error is thrown by the `take` of its item. */
export function lookAhead<T extends object>(
  make: () => T | undefined | Promise<T | undefined>,
  depth: number,
): LookAhead<T> {
  const slots: Slot<T>[] = []
  const begin = (): Slot<T> => {
    const given = make()
    if (!(given instanceof Promise)) return { made: given, making: undefined }
    const slot: Slot<T> = { made: undefined, making: given }
    given.then(
      (made) => {
        slot.made = made
        slot.making = undefined
      },
      () => {}, // the caller of `take` gets the error
    )
    return slot
  }
  return {
    take() {
      const { made, making } = slots.shift() ?? begin()
      return making ?? made
    },
    get next() {
      return slots[0]?.made
    },
    fill() {
      while (slots.length < depth) slots.push(begin())
    },
    async rest() {
      const made = await Promise.allSettled(slots.splice(0).map(({ made, making }) => making ?? made))
      return made.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []))
    },
  }
}
