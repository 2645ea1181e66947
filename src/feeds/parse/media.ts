/** In characters, without surrounding white space. */
const maxNumberLength = 40

/** `640`, `640px` → 640; anything else is unknown. */
export function parsePixels(text: string): number | null {
  const bare = text.trim()
  const number = bare.length > maxNumberLength ? undefined : /^(\d{1,5})(?:\.\d+)?\s*(?:px)?$/.exec(bare)?.[1]
  return number && Number(number) > 0 ? Number(number) : null
}

/** `95`, `1:35`, `0:01:35`, `PT1M35S` → 95. */
export function parseDurationSeconds(text: string): number | null {
  const bare = text.trim()
  if (bare.length > maxNumberLength) return null
  const clock = /^(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2})(?:\.\d+)?$/.exec(bare)
  const iso = /^PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d+)?S)?$/i.exec(bare)
  const parts = clock ?? iso
  if (parts) return Number(parts[1] ?? 0) * 3600 + Number(parts[2] ?? 0) * 60 + Number(parts[3] ?? 0)
  const number = /^(\d{1,6})(?:\.\d+)?\s*s?$/.exec(bare)?.[1]
  return number ? Number(number) : null
}
