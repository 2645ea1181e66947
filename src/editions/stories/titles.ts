import { runToEnd, type Steps } from '../../runtime/cooperative.ts'
import { titleWords } from '../../store/articles/canonical-address.ts'
import { nearest } from './nearest.ts'

/** Minimum similarity: nine of ten words are equal and in the same order. */
const minSimilarity = 0.9
/**
 * Maximum number of titles compared with one title: those with its rarest words, nearest in time; about five are usual.
 */
const maxCompared = 100
/** Maximum number of words that are compared one by one; the longest known newspaper headlines have 30. */
const maxWords = 40
/** Length in characters after which a title is not split into words. */
const maxTitleLength = 2000

/** The first words of a title and their numbers; `rest` is the text after them. */
type TitleWords = { list: string[]; set: Set<string>; numbers: string; rest: string }

/** Whether two titles are nearly the same. Numbers, and the text after the first forty words, must be equal. */
export function areTitlesAlike(one: string, other: string): boolean {
  return areWordsAlike(wordsOf(one), wordsOf(other))
}

/** Number of different words of a title, at most forty. */
export function countTitleWords(title: string): number {
  return wordsOf(title).set.size
}

type Titled = { title: string }
type Entry<T> = { item: T; words: TitleWords; time: number }

/**
 * Finds similar titles without comparing every pair: two titles that share nine of ten words have one of their rarest
 * words in common (prefix filter).
 */
export class TitleIndex<T extends Titled> {
  readonly #timeOf: (item: T) => number
  readonly #spread = new Map<string, number>()
  readonly #byWord = new Map<string, Entry<T>[]>()

  /** Use `TitleIndex.build` or, for long lists from untrusted feeds, `TitleIndex.buildInSteps`. */
  private constructor(timeOf: (item: T) => number) {
    this.#timeOf = timeOf
  }

  static build<T extends Titled>(items: Iterable<T>, timeOf: (item: T) => number): TitleIndex<T> {
    return runToEnd(TitleIndex.buildInSteps(items, timeOf))
  }

  /** Like `build`, in steps of one title each. `timeOf` returns milliseconds. */
  static *buildInSteps<T extends Titled>(items: Iterable<T>, timeOf: (item: T) => number): Steps<TitleIndex<T>> {
    const titles = new TitleIndex(timeOf)
    const entries: Entry<T>[] = []
    for (const item of items) {
      entries.push(titles.#toEntry(item))
      yield
    }
    entries.sort((a, b) => a.time - b.time)
    for (const { words } of entries) {
      titles.#countSpread(words)
      yield
    }
    for (const entry of entries) {
      titles.#file(entry)
      yield
    }
    return titles
  }

  /** The other items with similar titles, in steps of one comparison each. */
  *findAlike(item: T): Steps<T[]> {
    const entry = this.#toEntry(item)
    const found: T[] = []
    for (const other of this.#candidates(entry)) {
      yield
      if (other.item !== item && areWordsAlike(entry.words, other.words)) found.push(other.item)
    }
    return found
  }

  /** The entries that share one of its rarest words, the rarest first. */
  #candidates({ words, time }: Entry<T>): Set<Entry<T>> {
    const near = new Set<Entry<T>>()
    for (const word of this.#rarest(words)) {
      for (const other of nearest(this.#byWord.get(word) ?? [], time, maxCompared)) {
        if (near.size >= maxCompared) return near
        near.add(other)
      }
    }
    return near
  }

  #toEntry(item: T): Entry<T> {
    return { item, words: wordsOf(item.title), time: this.#timeOf(item) }
  }

  #countSpread({ set }: TitleWords): void {
    for (const word of set) this.#spread.set(word, (this.#spread.get(word) ?? 0) + 1)
  }

  #file(entry: Entry<T>): void {
    for (const word of this.#rarest(entry.words)) {
      const listed = this.#byWord.get(word)
      if (listed) listed.push(entry)
      else this.#byWord.set(word, [entry])
    }
  }

  #rarest({ set }: TitleWords): string[] {
    const spread = (word: string) => this.#spread.get(word) ?? 0
    const sorted = [...set].sort((a, b) => spread(a) - spread(b) || (a < b ? -1 : 1))
    const shared = Math.ceil((minSimilarity / (2 - minSimilarity)) * set.size - 1e-9)
    return sorted.slice(0, set.size - shared + 1)
  }
}

function wordsOf(title: string): TitleWords {
  const all = titleWords(title.slice(0, maxTitleLength))
  const list = all.slice(0, maxWords)
  return {
    list,
    set: new Set(list),
    numbers: list.filter((word) => /\d/.test(word)).join(' '),
    rest: all.slice(maxWords).join(' ') + title.slice(maxTitleLength),
  }
}

function areWordsAlike(one: TitleWords, other: TitleWords): boolean {
  if (one.set.size === 0 || other.set.size === 0 || one.numbers !== other.numbers || one.rest !== other.rest)
    return false
  const lengths = one.list.length + other.list.length
  if (2 * Math.min(one.list.length, other.list.length) < minSimilarity * lengths) return false
  const shared = one.set.intersection(other.set).size
  if (2 * shared < minSimilarity * (one.set.size + other.set.size)) return false
  return 2 * commonSubsequenceLength(one.list, other.list) >= minSimilarity * lengths
}

/** Number of words in a longest common subsequence; at most 40 × 40 steps. */
function commonSubsequenceLength(one: string[], other: string[]): number {
  let row = new Uint8Array(other.length + 1)
  let next = new Uint8Array(other.length + 1)
  for (const word of one) {
    for (let index = 0; index < other.length; index++) {
      const longest = Math.max(row[index + 1] ?? 0, next[index] ?? 0)
      next[index + 1] = other[index] === word ? (row[index] ?? 0) + 1 : longest
    }
    const done = row
    row = next
    next = done
  }
  return row[other.length] ?? 0
}
