import { benchSend } from './send.ts'

/** `npm run bench -- send [--json] [--recipients N] [--rounds N]` */
const cases: Record<string, (options: Record<string, string | boolean>) => Promise<unknown>> = { send: benchSend }

const [name = '', ...rest] = process.argv.slice(2)
const run = cases[name]
if (!run) {
  console.error(`bench what? ${Object.keys(cases).join(', ')}`)
  process.exit(1)
}
const options: Record<string, string | boolean> = {}
for (let index = 0; index < rest.length; index++) {
  const key = (rest[index] ?? '').replace(/^--/, '')
  const value = rest[index + 1]
  if (value === undefined || value.startsWith('--')) options[key] = true
  else {
    options[key] = value
    index++
  }
}
const result = await run(options)
console.log(options.json ? JSON.stringify(result) : JSON.stringify(result, null, 2))
