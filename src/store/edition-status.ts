import type { EditionStatus } from './schema.ts'

/** Of editions whose sending has not begun. */
export const unsentStatuses: EditionStatus[] = ['composed', 'sealed', 'held', 'approved']

/** Of editions that have not ended. */
export const openStatuses: EditionStatus[] = [...unsentStatuses, 'sending', 'paused']
