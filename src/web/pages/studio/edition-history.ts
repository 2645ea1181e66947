import { describeActor, describeEvent, describeSince } from '../../../describe/describe.ts'
import { type EventKind, type PastEvent, personName } from '../../../store/events/event.ts'
import type { EditionRow, EditionStatus } from '../../../store/schema.ts'
import type { Moment } from '../../format.ts'

const resultingStates: Partial<Record<EventKind, EditionStatus>> = {
  'edition.approved': 'approved',
  'edition.held': 'held',
  'edition.paused': 'paused',
  'edition.cancelled': 'cancelled',
  'edition.resumed': 'sending',
  'edition.edited': 'composed',
  'edition.edit_undone': 'composed',
}

/** Whether the edition still has the status that the decision gave it. */
export function isInResultingState({ status }: Pick<EditionRow, 'status'>, { kind }: PastEvent): boolean {
  return resultingStates[kind] === status
}

/** A change since the page was shown: “Ben held it back at 07:00: “Headline 2 needs the lawyer””. */
export function changeSentence(event: PastEvent, at: string, viewer: string): string {
  return describeSince(event, nameFor(event, viewer), at)
}

/** The name of the person or program, or “You” for the viewer. */
export function nameFor({ actor }: PastEvent, viewer: string | undefined): string {
  const name = personName(actor)
  return name !== undefined && name === viewer ? 'You' : describeActor(actor)
}

/** A line of the history; `who` is empty if a setting of the digest decided. */
export function historyItem(event: PastEvent, at: Moment) {
  return { what: describeEvent(event), who: event.actor === 'rule' ? '' : describeActor(event.actor), at }
}
