import { parentPort } from 'node:worker_threads'
import { parseHere } from './parse.ts'
import type { Task } from './pool.ts'
import { factsHere, stateHere } from './read-page.ts'

parentPort?.on('message', async (task: Task) => {
  parentPort?.postMessage(await answerTo(task))
})

async function answerTo(task: Task) {
  if (task.kind === 'feed') return await parseHere(task.bytes, task.context)
  if (task.kind === 'facts') return factsHere(task.bytes, task.context)
  if (task.kind === 'state') return stateHere(task.bytes, task.context)
  const { textOfPage } = await import('./page-text.ts') // half a second of packages, for which hardly any feed waits
  return textOfPage(task.bytes, task.context)
}
