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

/** Whether the edition is in the state that the decision led to: what the page says of the state then follows from it. */
export function isInResultingState({ status }: Pick<EditionRow, 'status'>, { kind }: PastEvent): boolean {
  return resultingStates[kind] === status
}

/** What somebody did since a page was shown: “Ben held it back at 07:00: “Headline 2 needs the lawyer””. */
export function changeSentence(event: PastEvent, at: string, viewer: string): string {
  return describeSince(event, nameFor(event, viewer), at)
}

/** The name of who did it, as the viewer reads it. */
export function nameFor({ actor }: PastEvent, viewer: string | undefined): string {
  const name = personName(actor)
  return name !== undefined && name === viewer ? 'You' : describeActor(actor)
}

/** A line of the history as the page lists it: what happened, and who did it, unless a setting of the digest did. */
export function historyItem(event: PastEvent, at: Moment) {
  return { what: describeEvent(event), who: event.actor === 'rule' ? '' : describeActor(event.actor), at }
}
