import { parentPort } from 'node:worker_threads'
import { usePrivateCompileCache } from '../runtime/compile-cache.ts'
import type { RenderTask } from './render-thread.ts'

usePrivateCompileCache() // a thread does not share the process's cache; only later imports use it
const { runRenderTask } = await import('./render-task.ts')

parentPort?.on('message', async (task: RenderTask) => parentPort?.postMessage(await runRenderTask(task)))
