/** What comes next, made ready before it is asked for. */
export type LookAhead<T> = {
  /** The next one; undefined when there are no more. */
  take(): Promise<T | undefined>
  /** The one that `take` will give, if it is ready now. */
  readonly next: T | undefined
  /** Begins to make what is not yet begun. */
  fill(): void
  /** What was made and not taken; nothing is left afterwards. */
  rest(): Promise<T[]>
}

type Slot<T> = { made: T | undefined; making: Promise<T | undefined> | undefined }

/** Makes up to `depth` things ahead, in order. A fault while making one is thrown by the `take` that it belongs to. */
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
      () => {}, // whoever takes it hears of it
    )
    return slot
  }
  return {
    async take() {
      const slot = slots.shift() ?? begin()
      return slot.making ? await slot.making : slot.made
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
