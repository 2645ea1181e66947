import { titleWords } from '../store/canonical.ts'

/** Of ten words nine agree, and stand in the same order. */
const likeness = 0.9
/** "Morning briefing" is the title of many stories. */
export const fewestWords = 4
/** Titles that share a rare word and are compared with one: those nearest in time. Some five are usual. */
const mostCompared = 100

type Words = { list: string[]; set: Set<string>; numbers: string }

/** Whether two titles say nearly the same. Numbers have to agree: part 1 is not part 2. */
export function alike(one: string, other: string): boolean {
  return areAlike(wordsOf(one), wordsOf(other))
}

/** How many different words a title has. */
export function countWords(title: string): number {
  return new Set(titleWords(title)).size
}

type Titled = { title: string }
type Entry<T> = { item: T; words: Words; time: number }

/**
 * Finds titles that say nearly the same among many, without comparing each with each: two titles that share nine words
 * of ten have one of their rarest in common (prefix filter), so only titles with the same rare word are compared.
 */
export class Titles<T extends Titled> {
  readonly #timeOf: (item: T) => number
  readonly #spread = new Map<string, number>()
  readonly #byWord = new Map<string, Entry<T>[]>()

  constructor(items: Iterable<T>, timeOf: (item: T) => number) {
    this.#timeOf = timeOf
    const entries = [...items].map((item) => this.#toEntry(item)).sort((a, b) => a.time - b.time)
    for (const { words } of entries)
      for (const word of words.set) this.#spread.set(word, (this.#spread.get(word) ?? 0) + 1)
    for (const entry of entries) {
      for (const word of this.#rarest(entry.words)) {
        const listed = this.#byWord.get(word)
        if (listed) listed.push(entry)
        else this.#byWord.set(word, [entry])
      }
    }
  }

  /** Those whose titles are like this one's, itself left out. */
  like(item: T): T[] {
    const entry = this.#toEntry(item)
    const near = new Set(
      this.#rarest(entry.words).flatMap((word) => nearest(this.#byWord.get(word) ?? [], entry.time, mostCompared)),
    )
    return [...near].filter((other) => other.item !== item && areAlike(entry.words, other.words)).map((one) => one.item)
  }

  #toEntry(item: T): Entry<T> {
    return { item, words: wordsOf(item.title), time: this.#timeOf(item) }
  }

  #rarest({ set }: Words): string[] {
    const spread = (word: string) => this.#spread.get(word) ?? 0
    const sorted = [...set].sort((a, b) => spread(a) - spread(b) || (a < b ? -1 : 1))
    const shared = Math.ceil((likeness / (2 - likeness)) * set.size - 1e-9)
    return sorted.slice(0, set.size - shared + 1)
  }
}

function wordsOf(title: string): Words {
  const list = titleWords(title)
  return { list, set: new Set(list), numbers: list.filter((word) => /\d/.test(word)).join(' ') }
}

function areAlike(one: Words, other: Words): boolean {
  if (one.set.size === 0 || other.set.size === 0 || one.numbers !== other.numbers) return false
  const shared = one.set.intersection(other.set).size
  if (2 * shared < likeness * (one.set.size + other.set.size)) return false
  return 2 * inOrder(one.list, other.list) >= likeness * (one.list.length + other.list.length)
}

/** How many words of the one stand in the other in the same order (longest common subsequence). */
function inOrder(one: string[], other: string[]): number {
  let row = new Array<number>(other.length + 1).fill(0)
  for (const word of one) {
    const next = [0]
    other.forEach((candidate, index) => {
      const longest = candidate === word ? (row[index] ?? 0) + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0)
      next.push(longest)
    })
    row = next
  }
  return row.at(-1) ?? 0
}

/** At most `count` of a list that is sorted by time, around a time. */
function nearest<T>(entries: Entry<T>[], time: number, count: number): Entry<T>[] {
  if (entries.length <= count) return entries
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.time ?? 0) < time) low = middle + 1
    else high = middle
  }
  const start = Math.min(Math.max(0, low - count / 2), entries.length - count)
  return entries.slice(start, start + count)
}
