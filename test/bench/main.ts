/** `npm run bench -- feeds|send|replay|hostile [--json]`: each is a file beside this one that exports `run`. */
const [name = '', ...args] = process.argv.slice(2)
const benches = ['feeds', 'send', 'replay', 'hostile']

if (benches.includes(name)) {
  const bench = (await import(`./${name}.ts`)) as { run(args: string[]): Promise<void> }
  await bench.run(args)
} else {
  console.error(`bench what? ${benches.join(', ')}`)
  process.exitCode = 2
}
