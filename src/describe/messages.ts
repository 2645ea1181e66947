import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Message, parseMessage } from './message-format.ts'

export type MessageGroup = 'reasons' | 'events' | 'done' | 'since'

type Messages = Record<MessageGroup, Map<string, Message>>

export const locale = 'en-GB'

let loaded: Messages | undefined

/** The messages of the language, loaded and parsed once. Throws an Error if the file is invalid. */
export function messages(): Messages {
  loaded ??= load()
  return loaded
}

function load(): Messages {
  const file = new URL('../../templates/locales/en.yml', import.meta.url)
  const groups = Object.entries(parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>)
  return Object.fromEntries(
    groups.map(([group, sources]) => [
      group,
      new Map(Object.entries(sources).map(([key, source]) => [key, parseMessage(source)])),
    ]),
  ) as Messages
}
