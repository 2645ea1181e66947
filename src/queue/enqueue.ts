import type { Db } from '../store/schema.ts'
import { addTasks } from '../store/system/tasks.ts'
import type { Instant } from '../time/clock.ts'
import type { Task } from './queue.ts'

type EditionTaskKind = 'start-edition' | 'send-slice' | 'finish-edition'

/** A step of sending an edition; `slice` is the first subscriber id of a slice. */
export function editionTask(kind: EditionTaskKind, edition: string, slice?: string): Task {
  const data = slice === undefined ? { edition } : { edition, slice }
  return { kind, key: Object.values(data).join(' '), group: edition, data }
}

/** Adds tasks in the caller's transaction. A waiting task is not added twice; a running task runs again afterwards. */
export async function enqueue(db: Db, tasks: Task[], now: Instant): Promise<void> {
  const rows = tasks.map(({ kind, key, group, data, notBefore = now }) => ({
    kind,
    key,
    groupKey: group,
    data: JSON.stringify(data),
    notBefore,
  }))
  await addTasks(db, rows, now)
}
