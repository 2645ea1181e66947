import { usePrivateCompileCache } from './runtime/compile-cache.ts'

// node-cron 4.6 computes timers with the local setters of Date, which fail in the hour that a clock change repeats.
// UTC has no such hour; code that needs a time zone names it.
process.env.TZ = 'UTC'
process.umask(0o077) // only our user may read our files: they hold email addresses and the secret that signs links
usePrivateCompileCache()

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // the reader closed the pipe: lastword … | head
  throw error
})

const { runCommand } = await import('./cli/program.ts')
process.exitCode = await runCommand(process.argv.slice(2))
