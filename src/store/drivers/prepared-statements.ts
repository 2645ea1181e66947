import type { CompiledQuery } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Db } from '../schema.ts'

type Values = Record<string, unknown>

/** Creates a placeholder for a value, or for one of a list of values, while a statement is built. */
export type Placeholder = (key: string, index?: number) => string

/** Finds a parameter of a built statement among the values. */
type ParameterLookup = (values: Values) => unknown

type CompiledStatement = { statement: CompiledQuery; places: ParameterLookup[] }

/** Built statements of each engine, by name. */
const compiledStatements = new WeakMap<object, Map<string, CompiledStatement>>()

const names = new Map<string, string>()

/** The name under which a server may cache the plan of a statement; undefined for one that runs once. */
export function statementName(sql: string): string | undefined {
  return names.get(sql)
}

/**
 * Runs a statement that is built and compiled only once, for the few statements that run for every recipient. `build`
 * gets a placeholder for each value, by name (and index in a list), and may use it only as a value; the same name must
 * always build the same statement.
 */
export async function runPrepared<R>(
  db: Db,
  engine: Pick<Engine, 'name'>,
  {
    name,
    values,
    build,
  }: { name: string; values: Values; build: (standIn: Placeholder) => { compile(): CompiledQuery<R> } },
): Promise<{ rows: R[]; changed: number }> {
  const statements = compiledStatements.get(engine) ?? new Map<string, CompiledStatement>()
  compiledStatements.set(engine, statements)
  let known = statements.get(name)
  if (!known) {
    known = compile(build)
    statements.set(name, known)
    names.set(known.statement.sql, `lastword ${names.size + 1}`)
  }
  const parameters = known.places.map((place) => place(values))
  const { rows, numAffectedRows } = await db.executeQuery({ ...known.statement, parameters } as CompiledQuery<R>)
  return { rows, changed: Number(numAffectedRows ?? 0) }
}

const placeholderPrefix = '\0value of '

function compile(build: (standIn: Placeholder) => { compile(): CompiledQuery }): CompiledStatement {
  const places = new Map<unknown, ParameterLookup>()
  const statement = build((key, index) => {
    const standIn = `${placeholderPrefix}${key} ${index ?? ''}`
    places.set(standIn, (values) => (index === undefined ? values[key] : (values[key] as unknown[])[index]))
    return standIn
  }).compile()
  return { statement, places: statement.parameters.map((given) => places.get(given) ?? (() => given)) }
}
