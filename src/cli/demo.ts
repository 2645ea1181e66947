import type { Command } from 'commander'
import { print } from './terminal/output.ts'
import { showProgress } from './terminal/progress.ts'
import { stopSignal } from './with-app.ts'

type Options = { once?: boolean; json?: boolean; mailDir?: string }

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description(
      'send an edition of a made-up magazine to 200 made-up subscribers and a mail catcher; no set-up needed',
    )
    .option('--once', 'exit when done')
    .option('--json', 'print the result as a line of JSON')
    .option('--mail-dir <dir>', 'write every message as .eml to this folder')
    .action(async (options: Options) => {
      const { runDemo } = await import('../demo/demo.ts')
      await runDemo({ ...options, signal: stopSignal(), onProgress: showProgress(), print })
    })
}
