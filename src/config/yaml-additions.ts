import { isMap, isSeq, parseDocument, stringify, type YAMLMap, type YAMLSeq } from 'yaml'

/** A value to add at the end of the list at `path`; a missing list is created. */
export type Addition = { path: (string | number)[]; value: unknown }

/**
 * Adds values to lists of a YAML text and leaves every other character unchanged. A place without a list (an alias, a text)
 * stays unchanged too, so the caller checks the result.
 */
export function addToYaml(text: string, additions: Addition[]): string {
  return additions.reduce(addItem, text)
}

function addItem(text: string, { path, value }: Addition): string {
  const document = parseDocument(text)
  const list = document.getIn(path, true)
  if (isSeq(list)) return insertNode(text, list, flowText(value), stringify([value], { lineWidth: 0 }))
  const holder = document.getIn(path.slice(0, -1), true)
  if (list !== undefined || !isMap(holder)) return text
  const key = String(path.at(-1))
  return insertNode(text, holder, `${key}: [${flowText(value)}]`, stringify({ [key]: [value] }, { lineWidth: 0 }))
}

/** A value on one line, as JSON, or as text without quotes if it needs none. */
function flowText(value: unknown): string {
  return typeof value === 'string' && /^\w[^\s,[\]{}"'#]*$/.test(value) ? value : JSON.stringify(value)
}

/** Inserts before the closing bracket, or on new lines after the last item, indented like the first. */
function insertNode(text: string, into: YAMLMap | YAMLSeq, flow: string, block: string): string {
  const [start, end] = into.range ?? [0, 0]
  const whole = text.slice(0, end).trimEnd()
  if (into.flow) {
    const before = whole.slice(0, -1).trimEnd()
    const comma = into.items.length === 0 ? '' : before.endsWith(',') ? ' ' : ', '
    return before + comma + flow + text.slice(before.length)
  }
  const indent = start - (text.lastIndexOf('\n', start - 1) + 1)
  const lineEnd = text.indexOf('\n', whole.length)
  const at = lineEnd < 0 ? text.length : lineEnd
  const lines = block
    .trimEnd()
    .split('\n')
    .map((line) => `\n${' '.repeat(indent)}${line}`)
  return text.slice(0, at) + lines.join('') + text.slice(at)
}
