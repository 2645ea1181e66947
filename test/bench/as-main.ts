import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }

/** The flags of Node that `npm start` gives to the product. */
export const flagsOfMain = scripts.start.split(' ').filter((word) => word.startsWith('--'))

/** With the compile cache that main.ts turns on. */
export const cachedEnv = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'lastword-bench-cache') }
