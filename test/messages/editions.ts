import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RenderedMessage, renderEdition } from '../../src/messages/render.ts'
import { openTemplate } from '../../src/messages/template.ts'
import type { EditionView } from '../../src/messages/view.ts'

const root = join(import.meta.dirname, '../..')

export const template = openTemplate(join(root, 'templates'), 'digest')

export const names = ['full', 'whole', 'thin', 'thirty', 'hostile'] as const

export function readEdition(name: (typeof names)[number]): EditionView {
  return JSON.parse(readFileSync(join(root, 'fixtures/editions', `${name}.json`), 'utf8')) as EditionView
}

export function render(view: EditionView): Promise<RenderedMessage> {
  return renderEdition(view, template)
}
