#!/bin/sh
':' //; export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}" MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-131072}"; here=$(dirname "$(readlink -f "$0")"); for node in node "$here/../node_modules/.bin/node"; do "$node" -e 'process.exit(+(parseInt(process.versions.node) < 24))' 2>/dev/null && exec "$node" --max-semi-space-size=8 --heap-growing-percent=40 --always-sparkplug "$0" "$@"; done; echo "lastword needs Node 24 or newer; this is Node $(node --version 2>/dev/null || echo 'missing'). In a clone, npm ci brings the right one." >&2; exit 1

// The lines above are for a shell: an older Node cannot read this file, and so could not say what it needs.
// To Node they are a comment and a string. Without the two limits Node 24 lets what is short-lived take 100 MB before it
// cleans up, and what lived a little longer another 60, which makes nothing here faster. The third flag compiles at once
// what an interpreter would read a few hundred times first: the first thousands of messages go out a fifth sooner.
// The two variables are for glibc: by itself it keeps what was freed of large texts, for each thread, and `start` holds
// 100 to 150 MB more once it has read some.
import { usePrivateCompileCache } from './runtime/compile-cache.ts'

// Timers are computed with local setters of Date (node-cron 4.6), which go wrong in the hour that a clock change repeats.
// UTC has no such hour; where a zone matters, it is named.
process.env.TZ = 'UTC'
process.umask(0o077) // what we write is for nobody else: people's addresses, and the secret that signs their links
usePrivateCompileCache()
process.removeAllListeners('warning') // node:sqlite calls itself experimental on every start
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') console.error(`${warning.name}: ${warning.message}`)
})

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // whoever read us has read enough: lastword … | head
  throw error
})

const { runCommand } = await import('./cli/program.ts')
process.exitCode = await runCommand(process.argv.slice(2))
