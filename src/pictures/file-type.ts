import type { ReasonOf } from '../store/events/reason.ts'

/** What a file is by its first bytes; no name, address or Content-Type is trusted. */
export type FileType = PictureType | ReasonOf<'picture-not-a-picture'>['found']

export type PictureType = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif'

/** The formats that are decoded. SVG is not: it is a document with scripts and fonts, and mail programs do not show it. */
const signatures: [PictureType, RegExp][] = [
  ['jpeg', /^\xff\xd8\xff/],
  ['png', /^\x89PNG\r\n/],
  ['gif', /^GIF8[79]a/],
  ['webp', /^RIFF[\s\S]{4}WEBP/],
  ['avif', /^[\s\S]{4}ftyp[\s\S]{0,40}avi[fs]/],
]

/** Enough for the signatures, and for comments before the first tag of an SVG or a page. */
const maxBytesRead = 1024

export function fileTypeOf(bytes: Uint8Array): FileType {
  if (bytes.length === 0) return 'nothing'
  const start = Buffer.from(bytes.subarray(0, maxBytesRead)).toString('latin1')
  const known = signatures.find(([, pattern]) => pattern.test(start))
  if (known) return known[0]
  if (/<svg[\s>]/i.test(start)) return 'svg'
  return /<!doctype html|<html|<head|<body/i.test(start) ? 'page' : 'other'
}

export function isPictureType(type: FileType): type is PictureType {
  return signatures.some(([known]) => known === type)
}
