import { storableJson } from './drivers/storable-text.ts'

declare const content: unique symbol

/** A stored value as JSON text; a type of its own, so that no sentence is used in its place. */
export type Json<T> = { readonly [content]: T }

export function toJson<T>(value: T): Json<T> {
  return storableJson(value) as unknown as Json<T>
}

export function fromJson<T>(text: Json<T>): T {
  return JSON.parse(text as unknown as string) as T
}
