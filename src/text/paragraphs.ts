/** The paragraphs of a typed text, which blank lines separate, each as one line by `toLine`; none is empty. */
export function splitParagraphs(text: string, toLine: (text: string) => string): string[] {
  const lines = text.replace(/\r\n?|[\u0085\u2028\v]/g, '\n').replace(/[\f\u2029]/g, '\n\n')
  const paragraphs = lines.split(/\n[^\S\n]*\n/).map(toLine)
  return paragraphs.filter((paragraph) => paragraph !== '')
}
