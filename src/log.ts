import { pino } from 'pino'

export type Log = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Logs one JSON line per event to stderr; stdout is reserved for the output of a command. */
export function openLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: escapeControls } },
    pino.destination({ dest: 2, sync: true }),
  )
}

export const silentLog: Log = { info() {}, warn() {}, error() {} }

/** Escapes control and bidirectional characters that could affect a terminal; JSON already escapes those below U+0020. */
function escapeControls(json: string): string {
  return json.replace(controlCharacters, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const controlCharacters = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g
