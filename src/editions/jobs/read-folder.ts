import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { utf8Text } from '../../config/yaml.ts'
import { AppError, messageOf, systemCode } from '../../errors.ts'
import type { Digest } from '../digest.ts'
import { isJobFile, parseDigest } from './read-job.ts'

/** A job file with an error. `message` has one line for each problem, with file and line number. */
export type RejectedJob = { digest: string; file: string; message: string }

/** The digests of a folder, sorted by file name, and the files with errors. */
export type JobFolder = { digests: Digest[]; rejected: RejectedJob[] }

const maxFileBytes = 1024 * 1024

/**
 * Reads every job file of the folder; an error in a file rejects only its digest. Throws AppError `missing` or `invalid`
 * if the folder cannot be read.
 */
export function readJobFolder(jobs: string, templates: string): JobFolder {
  if (!existsSync(jobs))
    throw new AppError('missing', `${jobs} does not exist`, {
      hint: 'It is the folder with one YAML file for each digest; lastword init makes it, with a sample.',
    })
  const { texts, problems } = readJobTexts(jobs)
  const digests: Digest[] = []
  for (const [file, text] of texts) {
    try {
      digests.push(parseDigest(text, join(jobs, file), templates))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      problems.set(file, error.message)
    }
  }
  const rejected = [...problems].map(([file, message]) => ({
    digest: digestNameOf(file),
    file: join(jobs, file),
    message,
  }))
  return { digests, rejected: rejected.sort((a, b) => (a.file < b.file ? -1 : 1)) }
}

/** Job file texts and problems, both by file name. `unread` lists the files that exist but cannot be read. */
export type JobTexts = { texts: Map<string, string>; problems: Map<string, string>; unread: string[] }

/** Reads all job files; `.yml` takes precedence over `.yaml`. Throws AppError if the folder cannot be listed. */
export function readJobTexts(folder: string): JobTexts {
  const files = listFiles(folder).filter(isJobFile).sort()
  const read: JobTexts = { texts: new Map(), problems: new Map(), unread: [] }
  for (const file of files) {
    const path = join(folder, file)
    if (/\.yaml$/i.test(file) && files.includes(file.replace(/aml$/i, 'ml'))) {
      read.problems.set(file, `${path}: another file beside it has the same name and the ending .yml`)
      continue
    }
    try {
      read.texts.set(file, readJobFile(path))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') continue // the file was deleted after the folder was listed
      read.problems.set(file, error instanceof AppError ? error.message : `${path} cannot be read: ${messageOf(error)}`)
      read.unread.push(file)
    }
  }
  return read
}

/** The digest name of a job file: the file name without `.yml` or `.yaml`. */
export function digestNameOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/i, '')
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw new AppError('invalid', `${folder} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/** Reads regular files only, because a read from a pipe would block until its writer closes it. */
function readJobFile(path: string): string {
  const stat = statSync(path)
  if (!stat.isFile()) throw new AppError('invalid', `${path} is not a file`)
  if (stat.size > maxFileBytes)
    throw new AppError('invalid', `${path} has ${stat.size} bytes: expected ${maxFileBytes} at most`)
  return utf8Text(readFileSync(path), path)
}
