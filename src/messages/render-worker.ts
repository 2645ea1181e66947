import { parentPort } from 'node:worker_threads'
import { usePrivateCompileCache } from '../runtime/compile-cache.ts'
import type { RenderTask } from './render-thread.ts'

usePrivateCompileCache() // a thread does not have that of the process; what is imported after it is in the cache
const { runRenderTask: answerTo } = await import('./render-task.ts')

parentPort?.on('message', async (task: RenderTask) => parentPort?.postMessage(await answerTo(task)))
