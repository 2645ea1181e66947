import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

/** `lastword start` as a process of its own, with a wall clock that a test sets. */
export type Started = {
  child: ChildProcess
  /** Sets the wall clock of the process. */
  setClock(instant: string): void
  /** What its wall clock shows. */
  now(): string
  /** The events in its log so far. */
  events(): string[]
  /** Resolves with the first line of its log that has this event. */
  logged(event: string): Promise<Record<string, unknown>>
  stop(): Promise<void>
}

/** Starts it in the folder, in that time zone, at that instant; resolves when it serves its pages. */
export async function startAt(folder: string, instant: string, zone: string): Promise<Started> {
  let offset = offsetTo(instant)
  const preload = ['--import', resolve('test/support/shifted-date.mjs')]
  const child = spawn(process.execPath, [...preload, resolve('src/main.ts'), 'start'], {
    cwd: folder,
    env: { ...process.env, TZ: zone, CLOCK_OFFSET: String(offset), LASTWORD_web__port: '0' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const log = collect(child)
  let printed = ''
  await new Promise<void>((ready, fail) => {
    child.once('exit', (code) => fail(new Error(`start ended with ${code}: ${log.text()}`)))
    child.stdout?.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('Editors:')) ready()
    })
  })
  return {
    child,
    now: () => new Date(Date.now() + offset).toISOString(),
    events: () => [...log.text().matchAll(/"event":"([^"]+)"/g)].map(([, event = '']) => event),
    setClock(to) {
      offset = offsetTo(to)
      child.send({ offset })
    },
    logged: log.event,
    async stop() {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

function offsetTo(instant: string): number {
  return Date.parse(instant) - Date.now()
}

function collect(child: ChildProcess) {
  let text = ''
  const waiting = new Set<() => void>()
  child.stderr?.on('data', (chunk) => {
    text += chunk
    for (const look of [...waiting]) look()
  })
  const find = (event: string) => {
    const line = text.split('\n').find((one) => one.includes(`"event":"${event}"`))
    return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>)
  }
  return {
    text: () => text,
    event: (event: string) =>
      new Promise<Record<string, unknown>>((resolve) => {
        const look = () => {
          const found = find(event)
          if (!found) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
  }
}
