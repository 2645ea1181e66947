import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { alsoWatched, exceptions, readers } from '../support/hostile/readers.ts'

/** A reader that is cubic would take hours: its thread is ended, and the shape named that it hangs on. */
const budgetMs = 50_000

let worker: Worker | undefined

afterAll(() => worker?.terminate())

/**
 * Every reader is given its nastiest texts at n, 2n and 4n, in a thread that can be ended. What is compared is growth, not
 * time: 4n may take ten times as long as n; a linear reader takes four times, a quadratic one sixteen times. The least of
 * several short runs is taken, which other work on the machine does not change; where that looks bad, the processor time
 * of that thread alone decides, and it has to look bad three times.
 */
test.each(
  readers.map(({ file, name, where }, index) => [`${file} ${name}${where ? `: ${where}` : ''}`, index] as const),
)('%s takes no more time for each character of a longer text', async (_, index) => {
  expect(await slowShapes(index)).toEqual([])
})

type Message = 'done' | { shape: string; growth?: number }

function slowShapes(index: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const slow: string[] = []
    let shape = ''
    worker ??= new Worker(new URL('../support/hostile/reader-worker.ts', import.meta.url), { execArgv: [] })
    const current = worker
    const end = (also: string[] = []) => {
      clearTimeout(timer)
      current.off('error', reject).off('message', hear)
      resolve([...slow, ...also])
    }
    const hear = (message: Message) => {
      if (message === 'done') return end()
      shape = message.shape
      if (message.growth) slow.push(`${shape} takes ${message.growth} times as long for four times the text`)
    }
    const timer = setTimeout(() => {
      worker = undefined
      void current.terminate()
      end([`${shape} does not come to an end`])
    }, budgetMs)
    current.on('error', reject).on('message', hear)
    current.postMessage(index)
  })
}

test('every export that takes a text is among the readers, or is an exception with a reason', () => {
  const watched = ['feeds', 'http', 'articles'].flatMap((folder) =>
    (readdirSync(`src/${folder}`, { recursive: true }) as string[]).map((file) => `${folder}/${file}`),
  )
  const files = [...watched.filter((file) => file.endsWith('.ts')), 'config/field-limits.ts', ...alsoWatched]
  const taking = files.flatMap((file) =>
    takersOfText(readFileSync(`src/${file}`, 'utf8')).map((name) => ({ file, name })),
  )
  const excepted = new Set(Object.values(exceptions).flat())
  const known = new Set(readers.map(({ file, name }) => `${file} ${name}`))
  const forgotten = taking.filter(({ file, name }) => !known.has(`${file} ${name}`) && !excepted.has(name))
  expect(forgotten).toEqual([])
  const exported = new Set(taking.map(({ file, name }) => `${file} ${name}`))
  expect([...known].filter((one) => !exported.has(one))).toEqual([])
})

test('a new export that takes a text is noticed', () => {
  const source = `
export function ours(count: number): string { return String(count) }
export async function one(text: string): Promise<void> {}
export function* two(
  value: RichText,
  at: number,
): Generator<string> {}
export const three = (bytes: Uint8Array): string => ''
export class Four {
  constructor(text: string, at = 0) {}
}
function notExported(text: string) {}
export class Five {
  constructor(at: number) {}
}`
  expect(takersOfText(source)).toEqual(['one', 'two', 'three', 'Four'])
})

/** The names of exported functions, and of classes that are made, with a text, bytes, or something of a feed among their parameters. */
function takersOfText(source: string): string[] {
  const declared = source.matchAll(
    /^export (?:(?:async )?function\*? (\w+)(?:<[^(]*>)?|const (\w+)(?:: [^=]+)? = (?:async )?(?=\())\(([\s\S]*?)\)(?:: [^\n]*)? (?:\{|=>)/gm,
  )
  const classes = source.matchAll(/^export class (\w+)()[\s\S]*?\n(?: {2}constructor\(([^)]*)\)|\})/gm)
  return [...declared, ...classes]
    .filter(([, , , parameters = '']) =>
      /\b(?:string|RichText|Uint8Array|unknown|XmlNode|RawFeed|Reading|URL|Response|IntervalHints|RobotsRules)\b|\bTask\b|\w+Context\b/.test(
        parameters,
      ),
    )
    .map(([, name, constant]) => name ?? constant ?? '')
}
