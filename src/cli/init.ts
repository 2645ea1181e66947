import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { isDigestName, isJobFile } from '../editions/jobs/read-job.ts'
import { AppError, messageOf, systemCode } from '../errors.ts'
import { print } from './terminal/output.ts'
import { configFile } from './with-app.ts'

/** The folder of the program, with the samples. */
const installation = resolve(import.meta.dirname, '../..')

const sampleDigest = 'public-sector-weekly'

export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description('make lastword.yml and a job file from the samples; existing files are kept')
    .option('--digest <name>', `the name of the digest and of its file in jobs/ (default: "${sampleDigest}")`)
    .action(({ digest }: { digest?: string }, command: Command) => init(configFile(command), digest))
}

function init(config: string, digest: string | undefined): void {
  if (digest !== undefined && !isDigestName(digest))
    throw new AppError('invalid', `--digest ${digest}: expected lower-case letters, digits and hyphens`, {
      hint: 'The name is part of the address of each edition, such as "harbour-weekly".',
    })
  makeFile(config, sampleConfig(), 'fill in publication, relay and web.url, which is in every email')
  const jobs = 'jobs'
  makeFolder(jobs)
  if (digest === undefined && readdirSync(jobs).some(isJobFile)) print(`${jobs} already has job files: not changed`)
  else {
    const file = join(jobs, `${digest ?? sampleDigest}.yml`)
    makeFile(file, readSample(`jobs/${sampleDigest}.example.yml`), 'fill in title, schedule, from, and the feeds')
  }
  if (!isInstallation()) makeFile(join(jobs, 'digest.schema.json'), readSample('jobs/digest.schema.json'))
  print('Next: lastword config checks the settings.')
}

/** In another folder, the sample names the templates of the installation. */
function sampleConfig(): string {
  const text = readSample('lastword.example.yml')
  if (isInstallation()) return text
  return `${text}\n# The templates of the installation. To change them, use a copy.\ntemplates: ${JSON.stringify(join(installation, 'templates'))}\n`
}

const isInstallation = () => relative(installation, process.cwd()) === ''

const readSample = (file: string) => readFileSync(join(installation, file), 'utf8')

function makeFile(path: string, text: string, next?: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw cannotMake(path, error)
    print(`${path} already exists: not changed`)
    return
  }
  print(`made ${path}${next === undefined ? '' : `: ${next}`}`)
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw cannotMake(path, error)
  }
}

function cannotMake(path: string, error: unknown): AppError {
  return new AppError('unavailable', `${path} cannot be made: ${messageOf(error)}`)
}
