import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HostileRun, runHostile } from '../support/hostile-start.ts'
import { openPostgres } from '../support/postgres.ts'

const maxAnswerMs = 250
const maxMemoryMb = 500

/**
 * `npm run bench -- hostile [--json] [sqlite] [postgres]`: the longest answer of a real `start` that reads hostile feeds and
 * hears a hostile relay, and its memory, on each engine. Exits with 1 above 250 ms or 500 MB.
 */
export async function run(args: string[]): Promise<void> {
  const engines = { sqlite: onSqlite, postgres: onPostgres }
  const names = (['sqlite', 'postgres'] as const).filter((name) => args.includes(name) || !wantsOne(args))
  const results: Record<string, HostileRun> = {}
  for (const name of names) results[name] = await engines[name]()
  if (args.includes('--json')) console.log(JSON.stringify(results))
  else for (const [name, result] of Object.entries(results)) print(name, result)
  const isTooMuch = ({ health, peakMemoryMb }: HostileRun) =>
    health.longestMs > maxAnswerMs || peakMemoryMb > maxMemoryMb || health.failures > 0
  if (Object.values(results).some(isTooMuch)) process.exitCode = 1
}

function wantsOne(args: string[]): boolean {
  return args.includes('sqlite') || args.includes('postgres')
}

async function onSqlite(): Promise<HostileRun> {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-hostile-'))
  try {
    return await runHostile(`file:${join(folder, 'lastword.db')}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onPostgres(): Promise<HostileRun> {
  const server = await openPostgres()
  try {
    return await runHostile(`postgres://lastword:lastword@127.0.0.1:${server.port}/postgres`)
  } finally {
    await server.remove()
  }
}

function print(name: string, { feeds, health, peakMemoryMb, delayed }: HostileRun): void {
  const longest = `longest of ${health.answers} answers ${Math.round(health.longestMs)} ms (at most ${maxAnswerMs})`
  console.log(`${name}: ${longest}, memory ${peakMemoryMb} MB (at most ${maxMemoryMb})`)
  for (const { task, count, worstMs } of delayed)
    console.log(`  held up by ${task}: ${count} times, ${worstMs} ms at worst`)
  for (const [path, sentence] of Object.entries(feeds)) console.log(`  ${path}: ${sentence.slice(0, 100)}`)
}
