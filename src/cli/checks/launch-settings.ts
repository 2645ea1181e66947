import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from '../../app.ts'
import { configLocation } from '../../config/config.ts'
import { type LaunchProblem, launchProblems, sendsOnlyToCatchers } from '../../config/launch-check.ts'
import { readYaml } from '../../config/yaml.ts'
import { describeSentence } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { AppError } from '../../errors.ts'

/** One line for each setting to change before the digest is sent, with file and line; none if all relays are mail catchers. */
export function launchProblemLines({ config }: Pick<App, 'config'>, digest: Digest, file: string): string[] {
  if (sendsOnlyToCatchers(config)) return []
  return launchProblems(config, digest).map((problem) => {
    const place = settingLocation(problem, config.jobs, digest, file)
    return `${place === undefined ? '' : `${place}: `}${describeSentence({ code: 'setting', ...problem })}`
  })
}

/** Throws AppError `invalid` with a line for each setting that prevents sending. */
export function refuseUnreadySettings(app: Pick<App, 'config'>, digest: Digest, file: string): void {
  const lines = launchProblemLines(app, digest, file)
  if (lines.length === 0) return
  throw new AppError(
    'invalid',
    [`${digest.name} was not sent: an email cannot be corrected afterwards.`, ...lines].join('\n'),
    {
      hint: 'Change these settings and try again, or send anyway with --anyway.',
    },
  )
}

/** `lastword.yml:12`, the name of an environment variable, or undefined if the file cannot be read. */
function settingLocation(
  { file: kind, path }: LaunchProblem,
  jobs: string,
  digest: Digest,
  file: string,
): string | undefined {
  try {
    if (kind === 'config') return configLocation(file, path)
    const job = [`${digest.name}.yml`, `${digest.name}.yaml`].map((name) => join(jobs, name)).find(existsSync)
    return job && readYaml(job).where(path)
  } catch {
    return undefined
  }
}
