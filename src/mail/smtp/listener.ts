/** Receives each line of the SMTP dialogue from client and server, with secrets masked. */
export type Listener = (who: 'client' | 'server', line: string) => void
