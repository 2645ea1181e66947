import type { CodeBlock } from './markdown.ts'

/** The `lastword` commands of a block of shell lines, each as its words without `lastword`; comments are left out. */
export function commandLines({ text }: Pick<CodeBlock, 'text'>): string[][] {
  return text.split('\n').flatMap((line) => {
    const words = shellWords(line)
    const at = words.findLastIndex((word) => /(^|\/)lastword$/.test(word))
    const isRun = at === 0 || (words[0] === 'runuser' && at > 0)
    return isRun ? [words.slice(at + 1)] : []
  })
}

function shellWords(line: string): string[] {
  const words = line.replace(/(^|\s)#.*$/, '').match(/"[^"]*"|\S+/g) ?? []
  return words.map((word) => word.replace(/^"(.*)"$/, '$1'))
}

/** The options of a usage line such as `run DIGEST [--edition NUMBER] --out DIR`. */
export function optionsIn(usage: string): { name: string; hasValue: boolean; isOptional: boolean }[] {
  return [...usage.matchAll(/(\[)?(--[a-z-]+)( [A-Z=]+)?/g)].map(([, bracket, name = '', value]) => ({
    name,
    hasValue: value !== undefined,
    isOptional: bracket !== undefined,
  }))
}
