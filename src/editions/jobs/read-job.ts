import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type ParsedYaml, parseYaml, readYaml, validateYaml } from '../../config/yaml.ts'
import type { Digest } from '../digest.ts'
import { digestSchema } from './digest-schema.ts'
import { isObject } from './fields.ts'

/**
 * Whether a file of the folder is a job file. Samples (`*.example.yml`) and text editors' temporary files
 * (`.weekly.yml.swp`, `.#weekly.yml`) are not.
 */
export function isJobFile(file: string): boolean {
  return /^[^.#].*\.ya?ml$/i.test(file) && !/\.example\.ya?ml$/i.test(file)
}

/** Whether a digest may have this name, which is part of URLs. */
export function isDigestName(name: string): boolean {
  return /^[a-z][a-z0-9-]*$/.test(name)
}

/** Reads one job file. Throws AppError that lists every problem of the file with its line. */
export function readDigest(file: string, templates: string): Digest {
  return checkDigest(readYaml(file), templates)
}

/** Parses the text of a job file; `file` is its name in errors. Throws AppError like `readDigest`. */
export function parseDigest(text: string, file: string, templates: string): Digest {
  return checkDigest(parseYaml(text, file), templates)
}

function checkDigest(written: ParsedYaml, templates: string): Digest {
  const withTemplate = digestSchema.superRefine(
    (it, check) => {
      for (const ending of ['mjml', 'txt']) {
        const path = join(templates, 'email', `${it.template}.${ending}.hbs`)
        if (!existsSync(path)) check.addIssue({ code: 'custom', path: ['template'], message: `${path} does not exist` })
      }
    },
    { when: ({ value }) => isObject(value) && typeof value.template === 'string' },
  )
  const name = basename(written.file).replace(/\.ya?ml$/, '')
  const badName = `${written.file}: the file name is the digest's name: expected lower-case letters, digits and hyphens`
  const found = isDigestName(name) ? [] : [badName]
  return { name, ...validateYaml(written, withTemplate, found, new Map([['storm', 'flood']])) }
}
