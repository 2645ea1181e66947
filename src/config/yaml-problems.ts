import type { LineCounter, YAMLParseError } from 'yaml'

/** A text to parse as YAML, with its file name for messages. */
export type YamlText = { text: string; file: string; lines: LineCounter }

/** A message for each merge conflict of git in the text, with its line. */
export function mergeConflicts(text: string, file: string): string[] {
  const all = text.split(/\r?\n/)
  return all.flatMap((line, index) => {
    if (!/^<{7} /.test(line)) return []
    const length = all.slice(index).findIndex((one) => /^>{7} /.test(one))
    if (length < 0) return []
    const range = `lines ${index + 1} to ${index + length + 1}`
    return [
      `${file}:${index + 1}: ${range} contain a merge conflict of git: keep one of the two versions, and delete the lines that begin with <<<<<<<, ======= or >>>>>>>`,
    ]
  })
}

/** The errors of the parser with their lines, and with the correction if it is known. */
export function yamlProblems(errors: YAMLParseError[], source: YamlText): string[] {
  const found = errors.map((error) => ({ line: lineOf(error, source), quoting: quotingProblem(error, source), error }))
  const quoted = new Set(found.filter(({ quoting }) => quoting !== undefined).map(({ line }) => line))
  const problems = found
    .filter(({ line, quoting }) => quoting !== undefined || !quoted.has(line)) // other errors of the line are consequences
    .map(({ line, quoting, error }) => `${source.file}:${line}: ${quoting ?? parserMessage(error)}`)
  return [...new Set(problems)]
}

const lineOf = ({ pos: [start] }: YAMLParseError, { lines }: YamlText) => lines.linePos(start).line

function parserMessage({ code, message }: YAMLParseError): string {
  return code === 'MULTIPLE_DOCS' ? 'expected one document, found a second' : message
}

/** The value in quotes, if quotes correct the error. A possible secret is not repeated. */
function quotingProblem(error: YAMLParseError, source: YamlText): string | undefined {
  const line = source.text.split(/\r?\n/)[lineOf(error, source) - 1] ?? ''
  const flow = error.code === 'BLOCK_IN_FLOW' ? source.text.slice(...error.pos).trim() : undefined
  if (mayHoldSecret(line)) return quotingAdvice('', '…')
  if (flow !== undefined) return quotingAdvice('', flow)
  const [, key, value] = /^\s*(?:- +)*([\w-]+): +([^\s#].*?)(?: +#.*)?\s*$/.exec(line) ?? []
  return key !== undefined && value !== undefined && needsQuotes(value) ? quotingAdvice(`${key}: `, value) : undefined
}

/** Whether a line may contain a secret: by its key, or a URL with a password. */
export function mayHoldSecret(line: string): boolean {
  return /(password|secret|token|key)\w*\s*:|:\/\/[^\s/]*:/i.test(line)
}

/**
 * Whether a value needs quotes (YAML 1.2.2 §7.3.3): it begins with an indicator such as `*`, closes a bracket or quote
 * before its end, or has a colon that makes a key.
 */
function needsQuotes(value: string): boolean {
  return /^[*&!@`%]|^- |^(\{[^}]*\}|\[[^\]]*\]|"[^"]*"|'[^']*').|^[^"'{[|>].*:( |$)/.test(value)
}

function quotingAdvice(key: string, value: string): string {
  const quoted = /["\\]/.test(value) ? `'${value.replaceAll("'", "''")}'` : `"${value}"`
  return `this text needs quotes, because some of its characters have a meaning in YAML. Write: ${key}${quoted}`
}
