import type { Attributes } from './tokeniser.ts'

/** Why a browser does not show the text in an element. A child can undo only the last two. */
export type Visibility = {
  /** Not rendered, clipped, off screen or transparent, with all its children. */
  isRemoved: boolean
  /** `visibility: hidden`, until a child is visible again. */
  isInvisible: boolean
  /** A `font-size` of at most a pixel, until a child sets another. */
  isSizeless: boolean
}

export const visible: Visibility = { isRemoved: false, isInvisible: false, isSizeless: false }

export function isShown({ isRemoved, isInvisible, isSizeless }: Visibility): boolean {
  return !isRemoved && !isInvisible && !isSizeless
}

/** The visibility inside an element with these attributes (names in small letters); `around` is that of its parent. */
export function visibilityIn(around: Visibility, name: string, attributes: Attributes): Visibility {
  const { style, class: classes } = attributes
  const isRemoved =
    attributes.hidden !== undefined ||
    (name === 'dialog' && attributes.open === undefined) ||
    (classes !== undefined && isScreenReaderOnly(classes))
  if (style === undefined || style === '')
    return isRemoved && !around.isRemoved ? { ...around, isRemoved: true } : around
  const rules = declarationsIn(style)
  const size = rules.get('font-size') ?? fontSizeIn(rules.get('font'))
  const seen = rules.get('visibility')
  return {
    isRemoved: around.isRemoved || isRemoved || isHiddenByStyle(name, rules),
    isInvisible: seen === undefined || seen === 'inherit' ? around.isInvisible : /^(?:hidden|collapse)$/.test(seen),
    isSizeless:
      size === undefined || isRelative(size) ? around.isSizeless || isUnreadableSize(size) : isUnreadableSize(size),
  }
}

/** Whether an element strikes its text out: it is not said any more. */
export function isStruck(name: string, { style = '' }: Attributes): boolean {
  if (name === 'del' || name === 's' || name === 'strike') return true
  if (!/line-through/i.test(style)) return false
  const rules = declarationsIn(style)
  return /line-through/.test(`${rules.get('text-decoration') ?? ''} ${rules.get('text-decoration-line') ?? ''}`)
}

/** Classes of WordPress, Bootstrap and others for text that is only read aloud. */
function isScreenReaderOnly(classes: string): boolean {
  return classes
    .slice(0, 1000)
    .split(/\s+/)
    .some((name) => screenReaderClass.test(name))
}

/** `screen-reader-text`, `sr-only`, `is-sr-only`, `govuk-visually-hidden`, `u-hidden-visually`, `show-for-sr`; not `not-sr-only`. */
const screenReaderClass =
  /^(?!not[-_])(?:[\w-]{0,20}[-_])?(?:screen-?reader(?:s|-text|-only|s-only)?|sr-only|sr-text|visually-?hidden|hidden-visually|show-for-sr|element-invisible|assistive-text)$/i

/** The declarations of a `style` attribute (CSS Style Attributes §3) in small letters; the last or `!important` one counts. */
function declarationsIn(style: string): Map<string, string> {
  const rules = new Map<string, string>()
  const important = new Set<string>()
  for (const declaration of style.slice(0, maxStyleLength).replace(comments, '').split(';')) {
    const colon = declaration.indexOf(':')
    if (colon < 0) continue
    const name = declaration.slice(0, colon).trim().toLowerCase()
    const given = declaration
      .slice(colon + 1)
      .trim()
      .toLowerCase()
    const value = given.replace(/!\s*important$/, '').trim()
    if (value !== given) important.add(name)
    else if (important.has(name)) continue
    rules.set(name, value)
  }
  return rules
}

const maxStyleLength = 2000
const comments = /\/\*[^*]*\*\//g

function isHiddenByStyle(name: string, rules: Map<string, string>): boolean {
  const rule = (name: string) => rules.get(name) ?? ''
  const isOutOfFlow = /^(?:absolute|fixed)$/.test(rule('position'))
  const clips = /hidden|clip/.test(rule('overflow') + rule('overflow-y') + rule('overflow-x'))
  const isFlat = ['height', 'max-height', 'width', 'max-width'].some((name) => isTooFlat(rules.get(name)))
  return (
    rule('display') === 'none' ||
    rule('content-visibility') === 'hidden' ||
    rule('mso-hide') === 'all' ||
    isTransparent(rules.get('opacity')) ||
    isTransparent(/^opacity\(([^()]*)\)$/.exec(rule('filter'))?.[1]) ||
    (clips && isFlat) ||
    (!tableParts.has(name) && hasNoSize(rules)) ||
    (isOutOfFlow && ['left', 'right', 'top', 'bottom'].some((name) => isOffScreen(rule(name)))) ||
    isOffScreen(rule('text-indent')) ||
    isOffScreen(rule('margin-left')) ||
    (isOutOfFlow && /^rect\((?:[01](?:px)?[\s,]*){4}\)$/.test(rule('clip'))) ||
    /^(?:inset\((?:50|100)%\)|circle\(0(?:px|%)?\))/.test(rule('clip-path')) ||
    /^scale\(0(?:\s*,\s*0)?\)$/.test(rule('transform'))
  )
}

/** These grow with their content. */
const tableParts = new Set(['table', 'tbody', 'thead', 'tfoot', 'tr', 'td', 'th'])

function hasNoSize(rules: Map<string, string>): boolean {
  return ['height', 'max-height', 'width', 'max-width'].some((name) => isZero(rules.get(name)))
}

/** 0 in any unit: `0`, `0.0em`, `.0`, `0%`. */
function isZero(value: string | undefined): boolean {
  return value !== undefined && /^[+-]?(?:0+(?:\.0*)?|\.0+)(?:%|[a-z]{1,4})?$/.test(value)
}

/** An opacity of at most 5 %. */
function isTransparent(value: string | undefined): boolean {
  if (value === undefined || !/^[+-]?(?:\d+\.?\d*|\.\d+)%?$/.test(value)) return false
  return Number.parseFloat(value) <= (value.endsWith('%') ? 5 : 0.05)
}

/** A font size of at most one pixel. */
function isUnreadableSize(size: string | undefined): boolean {
  return isZero(size) || (size !== undefined && /^(?:0?\.\d+|1(?:\.0*)?)(?:px|pt)$/.test(size))
}

/** A length that is too small for text. */
function isTooFlat(value: string | undefined): boolean {
  return isZero(value) || value === '1px'
}

function isOffScreen(value: string): boolean {
  return /^-\d{3,}(?:\.\d+)?(?:px|em|rem|vw|vh|%)$/.test(value) || /^-[5-9]\d(?:\.\d+)?(?:em|rem)$/.test(value)
}

/** Relative to the parent's size, so that zero stays zero. */
function isRelative(size: string): boolean {
  return /(?:^|\d)(?:%|em|ex|ch|inherit|smaller|larger)$/.test(size) && !/rem$/.test(size)
}

/** `font: 0/0 a`: the size is the first length. */
function fontSizeIn(font: string | undefined): string | undefined {
  return font?.split(/[\s/]+/).find((part) => /^\.?\d/.test(part) && !/^[1-9]00$/.test(part))
}

/** Whether the markup inside may have an element that is shown. */
export function mayShowAgain({ isRemoved, isInvisible }: Visibility, inside: string): boolean {
  return !isRemoved && (isInvisible ? /visibility/i : /font/i).test(inside)
}
