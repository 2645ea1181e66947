/** For commands that record a decision. */
export const whoOption = ['--who <name>', 'who decided it, for the record', 'operator'] as const
