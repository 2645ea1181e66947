/**
 * The path of a studio page to open after signing in; '' for any other text. Only words between slashes are accepted, so
 * that no text leads to another site or out of the studio.
 */
export function studioPath(text: string | undefined): string {
  return text !== undefined && text.length <= maxLength && /^\/studio(\/[\w-]+)*$/.test(text) ? text : ''
}

const maxLength = 200
