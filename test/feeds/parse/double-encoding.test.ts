import { expect, test } from 'vitest'
import { repairDoubleEncoding } from '../../../src/feeds/parse/double-encoding.ts'

const twice = (text: string, label: string) => new TextDecoder(label).decode(Buffer.from(text))

test.each(['Köln', 'L’été – déjà', 'Ärger', 'Привет', 'Łódź, Žižkov', '😀 it is', '“quoted”'])(
  '%s is read as it was meant, whether it was taken for Latin-1 or for Windows-1252',
  (text) => {
    expect(repairDoubleEncoding(Buffer.from(text).toString('latin1'))).toBe(text)
    expect(repairDoubleEncoding(twice(text, 'windows-1252'))).toBe(text)
  },
)

test.each([
  'plain',
  'Köln',
  'VIVE LA LIBERTÉ\u00a0!',
  'AMANHÃ…',
  '«Où\u00a0?»',
  '»Viel Spaß«',
  'It\u0092s',
  'Ã© stands here for é',
  'What “Ã©” means',
])('%s stays as it is', (text) => {
  expect(repairDoubleEncoding(text)).toBe(text)
})
