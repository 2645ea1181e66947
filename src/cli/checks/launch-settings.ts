import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from '../../app.ts'
import { configLocation } from '../../config/config.ts'
import {
  hasLocalMailServer,
  type LaunchProblem,
  launchProblems,
  launchProblemText,
  sendsOnlyToThisMachine,
} from '../../config/launch-check.ts'
import { readYaml } from '../../config/yaml.ts'
import type { Digest } from '../../editions/digest.ts'
import { AppError } from '../../errors.ts'

/** One line for each setting that must be changed before the digest is sent, with file and line; none if no relay reaches beyond this machine. */
export function launchProblemLines(app: Pick<App, 'config'>, digest: Digest, file: string): string[] {
  if (sendsOnlyToThisMachine(app.config)) return []
  return problemLines(app, digest, file)
}

/** The same for a mail server on this machine, which may pass messages on to the world: a warning, as it may be a test. */
export function localLaunchProblemLines(app: Pick<App, 'config'>, digest: Digest, file: string): string[] {
  const isLocal = sendsOnlyToThisMachine(app.config) && hasLocalMailServer(app.config)
  return isLocal ? problemLines(app, digest, file) : []
}

function problemLines({ config }: Pick<App, 'config'>, digest: Digest, file: string): string[] {
  return launchProblems(config, digest).map((problem) =>
    launchProblemText(problem, settingLocation(problem, config.jobs, digest, file)),
  )
}

/** Stops a command that would send the digest; AppError `invalid` with a line for each setting. */
export function refuseUnreadySettings(app: Pick<App, 'config'>, digest: Digest, file: string): void {
  const lines = launchProblemLines(app, digest, file)
  if (lines.length === 0) return
  throw new AppError(
    'invalid',
    [`${digest.name} is not sent: what stands in an email cannot be mended afterwards.`, ...lines].join('\n'),
    {
      hint: 'Change these and try again, or add --anyway to send it in spite of them.',
    },
  )
}

/** `lastword.yml:12`, the name of an environment variable, or undefined where the file cannot be read again. */
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
