import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs a piece of TypeScript in a process of its own, at the root of the project, and returns what it printed. */
export async function inProcess(source: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  const printed = await run(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module-typescript',
    '-e',
    source,
  ])
  return printed[stream].trim()
}
