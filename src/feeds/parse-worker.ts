import { parentPort } from 'node:worker_threads'
import { parseHere } from './parse.ts'
import type { Task } from './pool.ts'

parentPort?.on('message', async ({ bytes, context }: Task) => {
  parentPort?.postMessage(await parseHere(bytes, context))
})
