import type { Command } from 'commander'
import { requireDigest } from '../../app.ts'
import { describeReason } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { type Forecast, forecastEdition } from '../../pipeline/forecast.ts'
import { wallTimeText } from '../../time/zone.ts'
import { print, printJson } from '../terminal/output.ts'
import { withApp } from '../with-app.ts'

export function addForecastCommand(program: Command): void {
  program
    .command('forecast')
    .description('print what the next edition would have now, its short sections and its feeds with problems')
    .argument('<digest>', 'the name of a file in jobs/')
    .option('--json', 'output JSON')
    .action((name: string, options: { json?: boolean }, command: Command) =>
      withApp(command, async (app) => {
        const digest = requireDigest(app, name)
        const forecast = await forecastEdition(app, digest)
        if (options.json) printJson(withTexts(forecast))
        else print(forecastLines(forecast, digest).join('\n'))
      }),
    )
}

function withTexts({ thin, feeds, ...facts }: Forecast) {
  const texts = feeds.map((feed) => ({ ...feed, reason: describeReason(feed.reason) }))
  return { ...facts, thin: thin && describeReason(thin), feeds: texts }
}

function forecastLines({ dueAt, thin, sections, feeds }: Forecast, { name, title, zone }: Digest): string[] {
  return [
    dueAt === null ? `${title}: no run is planned.` : `${title}: due on ${wallTimeText(zone, dueAt)}.`,
    ...(thin === null ? [] : [`As of now: ${describeReason(thin)}`]),
    ...sections.map(({ title, chosen, minimum, maximum, isShort }) => {
      const needed = isShort ? `, short: it needs ${minimum}` : ''
      return `  ${title}: ${chosen} of at most ${maximum}${needed}`
    }),
    ...feeds.map(({ title, reason }) => `  feed ${title}: ${describeReason(reason)}`),
    `To see it: lastword run ${name} --dry-run`,
  ]
}
