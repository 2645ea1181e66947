import { type Reason, withFurther } from '../../store/events/reason.ts'
import { fromJson, type Json, toJson } from '../../store/json.ts'
import type { EditionRow } from '../../store/schema.ts'

type Held = Pick<EditionRow, 'heldBy' | 'reason'>

/** The reason to store when an edition is chosen again: a person's reason stays, followed by that of the rule, if any. */
export function reasonWithRule(edition: Held, rule: Reason | undefined): Json<Reason> | null {
  const own = edition.heldBy === null ? [] : parts(edition).slice(0, 1)
  return combined(rule ? [...own, rule] : own)
}

/** The reason with the problem of the size as of this seal instead of an earlier one. */
export function reasonWithSize(edition: Held, problem: Reason | undefined): Json<Reason> | null {
  const others = parts(edition).filter(({ code }) => code !== 'too-large')
  return combined(problem?.code === 'too-large' ? [...others, problem] : others)
}

function parts({ reason }: Held): Reason[] {
  if (reason === null) return []
  const { also = [], ...first } = fromJson(reason)
  return [first, ...also]
}

function combined([first, ...others]: Reason[]): Json<Reason> | null {
  return first ? toJson(withFurther(first, ...others)) : null
}
