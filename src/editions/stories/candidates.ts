import type { Steps } from '../../runtime/cooperative.ts'
import type { ReadStory } from './judge.ts'
import { nearest } from './nearest.ts'
import { storyTime } from './story.ts'

/** Maximum number of stories with one key that are compared with one story: the nearest in time. */
const maxCompared = 20

/** Finds stories with a headline or a group of words in common, without comparing every pair. */
export class CandidateIndex {
  readonly #byKey = new Map<string | number, { read: ReadStory; time: number }[]>()

  /** Files the stories under those of their keys that one of `fresh` has, in steps of one story. */
  static *build(all: ReadStory[], fresh: ReadStory[]): Steps<CandidateIndex> {
    const index = new CandidateIndex()
    for (const read of fresh) for (const key of keysOf(read)) index.#byKey.set(key, [])
    const dated = all.map((read) => ({ read, time: Date.parse(storyTime(read.story)) }))
    for (const entry of dated.sort((a, b) => a.time - b.time || (a.read.story.id < b.read.story.id ? -1 : 1))) {
      yield
      for (const key of keysOf(entry.read)) index.#byKey.get(key)?.push(entry)
    }
    return index
  }

  /** The other stories with a key in common. */
  find(read: ReadStory): Set<ReadStory> {
    const time = Date.parse(storyTime(read.story))
    const found = new Set<ReadStory>()
    for (const key of keysOf(read))
      for (const entry of nearest(this.#byKey.get(key) ?? [], time, maxCompared)) found.add(entry.read)
    found.delete(read)
    return found
  }
}

function keysOf({ headline, text }: ReadStory): (string | number)[] {
  return [...(headline.key === '' ? [] : [headline.key]), ...(text?.keys ?? [])]
}
