import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A text that changes with the name, size or modification time of any email template. */
export function templateVersion(templates: string): string {
  const folder = join(templates, 'email')
  if (!existsSync(folder)) return ''
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith('.hbs')).sort()
  const states = files.map((file) => {
    const state = statSync(join(folder, file), { throwIfNoEntry: false })
    return `${file} ${state?.size} ${state?.mtimeMs} ${state?.ino}`
  })
  return states.join('\n')
}
