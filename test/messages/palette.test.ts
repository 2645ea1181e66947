import { expect, test } from 'vitest'
import { contrast, legibleColour, paletteOf } from '../../src/messages/palette.ts'

test('the contrast is the one of WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2)
  expect(contrast('#ABCDEF', '#abcdef')).toBe(1)
})

test('a colour that can be read stays as it is, and one that cannot moves no further than it must', () => {
  expect(legibleColour('#0b4f6c', '#ffffff')).toBe('#0b4f6c')
  const shade = legibleColour('#f2c200', '#ffffff')
  expect(contrast(shade, '#ffffff')).toBeGreaterThanOrEqual(4.5)
  expect(contrast(shade, '#ffffff')).toBeLessThan(5.5)
})

test.each(['#000000', '#ffffff', '#ff0000', '#ffff00', '#0000ff', '#808080', '#0b4f6c'])(
  'in %s every text can be read on every ground',
  (colour) => {
    const { light, dark, bars } = paletteOf({ brand: colour, accent: colour, onBrand: colour, onAccent: colour })
    for (const shades of [light, dark])
      for (const ground of [shades.page, shades.paper, shades.tint])
        for (const ink of [shades.text, shades.quiet, shades.brand, shades.accent])
          expect(contrast(ink, ground)).toBeGreaterThanOrEqual(4.5)
    expect(contrast('#ffffff', light.bar)).toBeGreaterThanOrEqual(4.5)
    expect(contrast('#ffffff', dark.bar)).toBeGreaterThanOrEqual(4.5)
    expect(contrast(bars.onBrand, bars.brand)).toBeGreaterThanOrEqual(4.5)
    expect(contrast(bars.onAccent, bars.accent)).toBeGreaterThanOrEqual(4.5)
  },
)
