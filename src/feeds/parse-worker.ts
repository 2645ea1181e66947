import { parentPort } from 'node:worker_threads'
import { parseHere } from './parse.ts'
import type { Task } from './pool.ts'

parentPort?.on('message', async (task: Task) => {
  parentPort?.postMessage(task.kind === 'feed' ? await parseHere(task.bytes, task.context) : await readPageText(task))
})

/** Half a second of packages, for which hardly any feed waits. */
async function readPageText({ bytes, context }: Extract<Task, { kind: 'page' }>) {
  const { textOfPage } = await import('./page-text.ts')
  return textOfPage(bytes, context)
}
