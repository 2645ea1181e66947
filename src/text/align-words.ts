/** A place where two word lists differ, with the words of each side; `start` and `end`: nothing is equal before or after. */
export type Difference<T> = { left: T[]; right: T[]; at: 'start' | 'middle' | 'end'; position: number }

/** Number of equal words in order (longest common subsequence), and the differences. */
export type Alignment<T> = { equal: number; differences: Difference<T>[] }

/**
 * Aligns two lists of at most 255 words each; at most their product in steps. Words are equal by their `key`; others by
 * `isAlike`, if it is given.
 */
export function alignWords<T>(
  left: readonly T[],
  right: readonly T[],
  key: (word: T) => unknown,
  isAlike?: (one: T, other: T) => boolean,
): Alignment<T> {
  const [a, b] = [left.map(key), right.map(key)]
  const isAlikeAt = isAlike && ((i: number, j: number) => isAlike(left[i] as T, right[j] as T))
  const pairs = equalPairs(a, b, isAlikeAt)
  const differences: Difference<T>[] = []
  let [fromLeft, fromRight] = [0, 0]
  for (const [index, [i, j]] of [...pairs, [a.length, b.length] as const].entries()) {
    const at = index === 0 ? 'start' : index === pairs.length ? 'end' : 'middle'
    if (i > fromLeft || j > fromRight) {
      const position = Math.min(fromLeft, fromRight)
      differences.push({ left: left.slice(fromLeft, i), right: right.slice(fromRight, j), at, position })
    }
    ;[fromLeft, fromRight] = [i + 1, j + 1]
  }
  return { equal: pairs.length, differences }
}

type IsAlikeAt = ((i: number, j: number) => boolean) | undefined

/** The positions of a longest common subsequence in both lists. */
function equalPairs(a: unknown[], b: unknown[], isAlikeAt: IsAlikeAt): (readonly [number, number])[] {
  let start = 0
  while (start < Math.min(a.length, b.length) && (a[start] === b[start] || isAlikeAt?.(start, start))) start++
  const pairs = Array.from({ length: start }, (_, index) => [index, index] as const)
  const lengths = commonLengths(a, b, start, isAlikeAt)
  const width = b.length + 1
  let [i, j] = [start, start]
  while (i < a.length && j < b.length) {
    if (a[i] === b[j] || isAlikeAt?.(i, j)) pairs.push([i++, j++])
    else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) i++
    else j++
  }
  return pairs
}

/** For each pair of positions, the length of the longest common subsequence of what follows. */
function commonLengths(a: unknown[], b: unknown[], start: number, isAlikeAt: IsAlikeAt): Uint8Array {
  const width = b.length + 1
  const lengths = new Uint8Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= start; i--)
    for (let j = b.length - 1; j >= start; j--)
      lengths[i * width + j] =
        a[i] === b[j] || isAlikeAt?.(i, j)
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0)
  return lengths
}
