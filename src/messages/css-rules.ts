export type CssRule = { selectors: string[]; declarations: string }

/** The rules of style blocks that hold on every screen. A rule inside `@media` is left out. */
export function unconditionalRules(html: string): CssRule[] {
  return [...html.matchAll(/<style[^>]*>([^<]*)<\/style/gi)].flatMap(([, css = '']) => {
    const everywhere = css.replace(/\/\*.*?\*\//gs, '').replace(/@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, '')
    return [...everywhere.matchAll(/([^{}]+)\{([^{}]*)\}/g)].map(([, selectors = '', declarations = '']) => ({
      selectors: selectors.split(',').map((selector) => selector.trim()),
      declarations: declarations.toLowerCase(),
    }))
  })
}
