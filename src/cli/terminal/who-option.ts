/** For commands that record a decision. */
export const whoOption = ['--who <name>', 'your name, shown in the history', 'operator'] as const
