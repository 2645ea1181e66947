import { usePrivateCompileCache } from './runtime/compile-cache.ts'

// Timers are computed with local setters of Date (node-cron 4.6), which go wrong in the hour that a clock change repeats.
// UTC has no such hour; where a zone matters, it is named.
process.env.TZ = 'UTC'
process.umask(0o077) // what we write is for nobody else: people's addresses, and the secret that signs their links
usePrivateCompileCache()

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // whoever read us has read enough: lastword … | head
  throw error
})

const { runCommand } = await import('./cli/program.ts')
process.exitCode = await runCommand(process.argv.slice(2))
