import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import { newId } from '../id.ts'
import type { Db, TaskRow } from '../schema.ts'

export type NewTask = Pick<TaskRow, 'kind' | 'key' | 'groupKey' | 'data' | 'notBefore'>

/** Adds tasks. A waiting task stays or is moved earlier; a running one is run again. */
export async function addTasks(db: Db, tasks: NewTask[], now: Instant): Promise<void> {
  if (tasks.length === 0) return
  await db
    .insertInto('tasks')
    .values(
      tasks.map((task) => ({
        ...task,
        id: newId(now),
        requests: 1,
        attempts: 0,
        workerId: null,
        error: null,
        deadAt: null,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['kind', 'key']).doUpdateSet((eb) => ({
        requests: eb('tasks.requests', '+', 1),
        notBefore: eb
          .case()
          .when('tasks.notBefore', '>', eb.ref('excluded.notBefore'))
          .then(eb.ref('excluded.notBefore'))
          .else(eb.ref('tasks.notBefore'))
          .end(),
      })),
    )
    .execute()
}

/** A worker and its running tasks; any other task with its `workerId` was left behind by a failure. */
export type TaskOwner = { workerId: string; running: string[] }

/** The due tasks that no worker runs. */
function free(db: Db, kind: string, { workerId, running }: TaskOwner, now: Instant) {
  return db
    .selectFrom('tasks')
    .where('kind', '=', kind)
    .where('deadAt', 'is', null)
    .where('notBefore', '<=', now)
    .where((eb) =>
      eb.or([
        eb('workerId', 'is', null),
        eb('workerId', '=', workerId),
        eb('workerId', 'not in', (workers) => workers.selectFrom('workers').select('id')),
      ]),
    )
    .$if(running.length > 0, (query) => query.where('id', 'not in', running))
}

/** The groups with a task of this kind that can be run now. */
export async function groupsWaiting(db: Db, kind: string, owner: TaskOwner, now: Instant): Promise<string[]> {
  const rows = await free(db, kind, owner, now).select('groupKey').distinct().orderBy('groupKey').execute()
  return rows.map(({ groupKey }) => groupKey)
}

/** Leases the oldest task of a group; a task that another worker is leasing is skipped. */
export function leaseTask(
  db: Db,
  engine: Engine,
  { kind, groupKey }: Pick<TaskRow, 'kind' | 'groupKey'>,
  owner: TaskOwner,
  now: Instant,
): Promise<TaskRow | undefined> {
  return transaction(db, async (trx) => {
    const oldest = free(trx, kind, owner, now).select('id').where('groupKey', '=', groupKey).orderBy('id').limit(1)
    const next = await engine.skipLocked(oldest).executeTakeFirst()
    if (!next) return undefined
    const { workerId } = owner
    return await trx.updateTable('tasks').set({ workerId }).where('id', '=', next.id).returningAll().executeTakeFirst()
  })
}

type Done = Pick<TaskRow, 'id' | 'requests' | 'workerId'>

/** Deletes a finished task, unless it was requested again while it ran. Does nothing if another worker has it. */
export async function endTask(db: Db, { id, requests, workerId }: Done): Promise<void> {
  const ended = await db
    .deleteFrom('tasks')
    .where('id', '=', id)
    .where('workerId', '=', workerId)
    .where('requests', '=', requests)
    .executeTakeFirst()
  if (ended.numDeletedRows > 0n) return
  await db
    .updateTable('tasks')
    .set({ workerId: null, attempts: 0, error: null })
    .where('id', '=', id)
    .where('workerId', '=', workerId)
    .execute()
}

/** Deletes a task, even while it runs. */
export async function removeTask(db: Db, { kind, key }: Pick<TaskRow, 'kind' | 'key'>): Promise<void> {
  await db.deleteFrom('tasks').where('kind', '=', kind).where('key', '=', key).execute()
}

/** Records a failure: the task is retried at `notBefore`, or never. */
export async function failTask(
  db: Db,
  { id, workerId }: Omit<Done, 'requests'>,
  { error, notBefore, deadAt }: { error: string; notBefore: Instant; deadAt: Instant | null },
): Promise<void> {
  await db
    .updateTable('tasks')
    .set((eb) => ({ workerId: null, attempts: eb('attempts', '+', 1), error, notBefore, deadAt }))
    .where('id', '=', id)
    .where('workerId', '=', workerId)
    .execute()
}

/** Whether a task of this kind and group waits or runs. */
export async function isTaskOpen(db: Db, { kind, groupKey }: Pick<TaskRow, 'kind' | 'groupKey'>): Promise<boolean> {
  const row = await db
    .selectFrom('tasks')
    .select('id')
    .where('kind', '=', kind)
    .where('groupKey', '=', groupKey)
    .where('deadAt', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Tasks that are no longer retried, the newest first. */
export function deadTasks(db: Db): Promise<TaskRow[]> {
  return db.selectFrom('tasks').selectAll().where('deadAt', 'is not', null).orderBy('deadAt', 'desc').execute()
}

/** Makes a dead task due again. */
export async function reviveTask(db: Db, id: string, now: Instant): Promise<void> {
  await db
    .updateTable('tasks')
    .set({ deadAt: null, attempts: 0, notBefore: now })
    .where('id', '=', id)
    .where('deadAt', 'is not', null)
    .execute()
}
