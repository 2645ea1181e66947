import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgres } from '../support/databases/postgres.ts'
import { type HostileOptions, type HostileRun, runHostile } from '../support/hostile/start.ts'

const maxAnswerMs = 250
const maxMemoryMb = 500

/**
 * `npm run bench -- hostile [--json] [sqlite] [postgres] [one] [two]`: the longest answer of a real `start` that reads
 * hostile feeds, one after another and then two at once, hears a hostile relay, and shows an edition of them; and its
 * memory, on each engine. Exits with 1 above 250 ms or 500 MB.
 */
export async function run(args: string[]): Promise<void> {
  const engines = { sqlite: onSqlite, postgres: onPostgres }
  const parallel = { one: 1, two: 2 } as const
  const results: Record<string, HostileRun> = {}
  for (const engine of selectedNames(args, ['sqlite', 'postgres'] as const))
    for (const count of selectedNames(args, ['one', 'two'] as const)) {
      const result = await engines[engine]({ parallel: parallel[count] })
      results[`${engine}, ${count} at once`] = result
      if (!args.includes('--json')) print(`${engine}, ${count} at once`, result)
    }
  if (args.includes('--json')) console.log(JSON.stringify(results))
  const isTooMuch = ({ health, peakMemoryMb }: HostileRun) =>
    health.longestMs > maxAnswerMs || peakMemoryMb > maxMemoryMb || health.failures > 0
  if (Object.values(results).some(isTooMuch)) process.exitCode = 1
}

/** Those that are named, or all. */
function selectedNames<T extends string>(args: string[], names: readonly T[]): readonly T[] {
  const named = names.filter((name) => args.includes(name))
  return named.length > 0 ? named : names
}

async function onSqlite(options: HostileOptions): Promise<HostileRun> {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-hostile-'))
  try {
    return await runHostile(`file:${join(folder, 'lastword.db')}`, options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onPostgres(options: HostileOptions): Promise<HostileRun> {
  const server = await openPostgres()
  try {
    return await runHostile(`postgres://lastword:lastword@127.0.0.1:${server.port}/postgres`, options)
  } finally {
    await server.remove()
  }
}

function print(name: string, { feeds, chosen, pages, health, peakMemoryMb, delayed }: HostileRun): void {
  const longest = `longest of ${health.answers} answers ${Math.round(health.longestMs)} ms (at most ${maxAnswerMs})`
  console.log(`${name}: ${longest}, ${health.failures} failed, memory ${peakMemoryMb} MB (at most ${maxMemoryMb})`)
  for (const { task, count, worstMs } of delayed)
    console.log(`  held up by ${task}: ${count} times, ${worstMs} ms at worst`)
  console.log(`  an edition of ${chosen} articles; pages in bytes: ${JSON.stringify(pages)}`)
  for (const [path, sentence] of Object.entries(feeds)) console.log(`  ${path}: ${sentence.slice(0, 100)}`)
}
