import Handlebars from 'handlebars'
import { requiredValues, translate, translateParts } from '../../describe/translate.ts'

/**
 * Registers the helper `t` of templates: `{{t "email.number" number=3}}` is the text of that key in `@language`. A text
 * with a tag needs a block, in which `@inside` is the text in the tag: `{{#t "email.reply"}}<a href="…">{{@inside}}</a>{{/t}}`.
 */
export function registerTranslation(handlebars: typeof Handlebars, { noEscape }: { noEscape: boolean }): void {
  const escapeText = noEscape ? (text: string) => text : Handlebars.escapeExpression
  handlebars.registerHelper('t', function t(this: unknown, key: string, { fn, hash, data }: Handlebars.HelperOptions) {
    if (!fn) return translate(data.language, key, hash)
    const { before, inside, after } = translateParts(data.language, key, hash)
    const block = Handlebars.createFrame(data)
    block.inside = inside
    return escapeText(before) + fn(this, { data: block }).trim() + escapeText(after)
  })
}

type TranslationCall = hbs.AST.MustacheStatement | hbs.AST.SubExpression | hbs.AST.BlockStatement

/** Throws a SyntaxError with the line for a `t` whose key is unknown, or whose values are not those of its text. */
export function checkTranslations(program: hbs.AST.Program): void {
  const visitor = new Handlebars.Visitor()
  const { MustacheStatement, SubExpression, BlockStatement } = Handlebars.Visitor.prototype
  visitor.MustacheStatement = function visit(node) {
    check(node, false)
    MustacheStatement.call(this, node)
  }
  visitor.SubExpression = function visit(node) {
    check(node, false)
    SubExpression.call(this, node)
  }
  visitor.BlockStatement = function visit(node) {
    check(node, true)
    BlockStatement.call(this, node)
  }
  visitor.accept(program)
}

function check(call: TranslationCall, isBlock: boolean): void {
  if ((call.path as hbs.AST.PathExpression).original !== 't') return
  const fault = faultOf(call, isBlock)
  if (fault) throw new SyntaxError(`${fault} - ${call.loc.start.line}:0`)
}

function faultOf({ params, hash }: TranslationCall, isBlock: boolean): string | undefined {
  const [key, ...others] = params
  if (key?.type !== 'StringLiteral' || others.length > 0)
    return 't needs one key in quotes, as in {{t "email.unsubscribe"}}'
  const name = (key as hbs.AST.StringLiteral).value
  const required = requiredValues(name)
  if (!required) return `there is no text "${name}" in templates/locales/en.yml`
  if (required.hasTag !== isBlock)
    return isBlock
      ? `the text "${name}" has no tag, so it needs {{t "${name}"}}`
      : `the text "${name}" has a tag, so it needs {{#t "${name}"}}…{{@inside}}…{{/t}}`
  const given = new Set((hash?.pairs ?? []).map((pair) => pair.key))
  const missing = [...required.names].find((value) => !given.has(value))
  if (missing) return `the text "${name}" needs the value ${missing}`
  const extra = [...given].find((value) => !required.names.has(value))
  return extra && `the text "${name}" has no value ${extra}`
}
