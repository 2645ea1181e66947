import { AppError } from '../errors.ts'
import type { Digest } from './digest.ts'
import type { Draft, Render, Rendered } from './edition.ts'

/**
 * Renders a draft for a preview, a dry run or the seal. Throws AppError `invalid` with the problems of the template.
 */
export async function renderDraft(render: Render, draft: Draft): Promise<Rendered> {
  const rendered = await render(draft)
  throwOnProblems(draft.digest, rendered.problems)
  return rendered
}

function throwOnProblems({ template }: Pick<Digest, 'template'>, problems: string[]): void {
  if (problems.length === 0) return
  throw new AppError('invalid', [`the template "${template}" cannot be used as it is:`, ...problems].join('\n'))
}
