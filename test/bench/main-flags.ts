import { readFileSync } from 'node:fs'
import { privateCacheFolder } from '../../src/runtime/compile-cache.ts'

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }

/** The flags of Node that `npm start` gives to the product. */
export const mainFlags = scripts.start.split(' ').filter((word) => word.startsWith('--'))

const cacheFolder = privateCacheFolder()

/** With the compile cache that main.ts turns on, where there is one. */
export const cachedEnv = { ...process.env, ...(cacheFolder !== undefined && { NODE_COMPILE_CACHE: cacheFolder }) }
