import { getHeapStatistics } from 'node:v8'
import { parentPort } from 'node:worker_threads'
import { messageOf } from '../../errors.ts'
import { readTask } from './read-task.ts'
import type { Task, WorkerMessage } from './task.ts'

parentPort?.on('message', async (task: Task) => {
  const answer = await readTask(task).catch((error) => ({ failed: `it cannot be read: ${messageOf(error)}` }))
  parentPort?.postMessage({ answer, heapBytes: getHeapStatistics().total_heap_size } satisfies WorkerMessage)
})
