import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Message, parseMessage } from './message-format.ts'

export type MessageGroup = 'reasons' | 'events' | 'done' | 'since'

type Messages = Record<MessageGroup, Map<string, Message>>

export const locale = 'en-GB'

const folder = new URL('../../templates/locales/', import.meta.url)

let loaded: Messages | undefined

/** The messages for staff, which are English; loaded and parsed once. Throws an Error if the file is invalid. */
export function messages(): Messages {
  loaded ??= Object.fromEntries(
    (['reasons', 'events', 'done', 'since'] as const).map((group) => [
      group,
      new Map(Object.entries(readLocale('en')[group] ?? {}).map(([key, source]) => [key, parseMessage(source)])),
    ]),
  ) as Messages
  return loaded
}

/** The languages that have a file: `['ar', 'cy', …]`. */
export function localeNames(): string[] {
  names ??= readdirSync(folder)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => file.slice(0, -'.yml'.length))
  return names
}

let names: string[] | undefined

/** The groups of a language's file, each with the sources of its messages by key. */
export function readLocale(name: string): Record<string, Record<string, string>> {
  return parse(readFileSync(new URL(`${name}.yml`, folder), 'utf8')) as Record<string, Record<string, string>>
}
