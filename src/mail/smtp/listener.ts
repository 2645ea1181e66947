/** Gets the SMTP dialogue: each line that the client or the server says, secrets masked. */
export type Listener = (who: 'client' | 'server', line: string) => void
