import type { CompiledQuery } from 'kysely'
import type { Engine } from './engine.ts'
import type { Db } from './schema.ts'

type Values = Record<string, unknown>

/** Built statements of each engine, by name. */
const built = new WeakMap<object, Map<string, CompiledQuery>>()

/**
 * Runs a statement that is built and compiled once, and from then on only given its values: for the few that run for
 * every recipient, where building costs more than running. `build` gets a stand-in for each value, by its name, and
 * must use it as a value and nothing else; the same name must always build the same statement.
 */
export async function prepared<R>(
  db: Db,
  engine: Pick<Engine, 'name'>,
  {
    name,
    values,
    build,
  }: { name: string; values: Values; build: (standIn: (key: string) => string) => { compile(): CompiledQuery<R> } },
): Promise<{ rows: R[]; changed: number }> {
  const statements = built.get(engine) ?? new Map<string, CompiledQuery>()
  built.set(engine, statements)
  let statement = statements.get(name)
  if (!statement) {
    statement = build((key) => mark + key).compile()
    statements.set(name, statement)
  }
  const parameters = statement.parameters.map((given) => withValue(given, values))
  const { rows, numAffectedRows } = await db.executeQuery({ ...statement, parameters } as CompiledQuery<R>)
  return { rows, changed: Number(numAffectedRows ?? 0) }
}

const mark = '\0value of '

function withValue(given: unknown, values: Values): unknown {
  return typeof given === 'string' && given.startsWith(mark) ? values[given.slice(mark.length)] : given
}
