import { resolve } from 'node:path'
import { privateCacheFolder } from '../../src/runtime/compile-cache.ts'

/** Runs a TypeScript file with the flags of Node that the product has. */
export const launcher = resolve('src/lastword')

const cacheFolder = privateCacheFolder()

/** With the compile cache that main.ts turns on, where there is one. */
export const cachedEnv = { ...process.env, ...(cacheFolder !== undefined && { NODE_COMPILE_CACHE: cacheFolder }) }
