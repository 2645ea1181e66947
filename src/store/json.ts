import { storableJson } from './drivers/storable-text.ts'

declare const content: unique symbol

/** A value as the store keeps it: JSON text. No code can take it for a sentence, or a sentence for it. */
export type Json<T> = { readonly [content]: T }

export function toJson<T>(value: T): Json<T> {
  return storableJson(value) as unknown as Json<T>
}

export function fromJson<T>(text: Json<T>): T {
  return JSON.parse(text as unknown as string) as T
}
