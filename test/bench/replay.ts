import { parseArgs } from 'node:util'
import { type ReplayOptions, replay } from '../support/replay.ts'

/** A year: the test of the same name plays a quarter of it. */
const year: ReplayOptions = {
  weeks: 56,
  restarts: 200,
  brokenIn: 10,
  loginIn: 20,
  moves: [15, 35],
  agencyShare: 0.6,
  flood: 40,
}

/** `npm run bench -- replay [--json] [--restarts N]`: ends with 1 if an article was lost, or went to somebody twice. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean', default: false }, restarts: { type: 'string', default: '200' } },
  })
  const result = { case: 'replay', ...(await replay({ ...year, restarts: Number(values.restarts) })) }
  console.log(values.json ? JSON.stringify(result) : JSON.stringify(result, null, 2))
  if (result.twice.length + result.missing.length + result.unexplained.length > 0) process.exitCode = 1
}
