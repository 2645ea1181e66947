/** A part of a page in Markdown, in the order of the page. Texts are without their marks of links, code and emphasis. */
export type Page = {
  file: string
  headings: string[]
  links: string[]
  blocks: CodeBlock[]
  tables: Table[]
  /** Paragraphs and list items, one each. */
  texts: string[]
}

/** A fenced block: its language (empty if none), its lines, and the heading that it stands under. */
export type CodeBlock = { language: string; text: string; heading: string }

/** Rows of cells as written, without the header; `heading` is the one that it stands under. */
export type Table = { heading: string; header: string[]; rows: string[][] }

/** Reads the subset of Markdown that our pages use: headings, paragraphs, lists, tables and fenced blocks. */
export function readPage(file: string, source: string): Page {
  const page: Page = { file, headings: [], links: [], blocks: [], tables: [], texts: [] }
  const prose: string[] = []
  let heading = ''
  for (const part of source.split(/^(```[^\n]*\n[\s\S]*?^```$)/m)) {
    const block = /^```(\w*)\n([\s\S]*)```$/.exec(part)
    if (block) {
      page.blocks.push({ language: block[1] ?? '', text: (block[2] ?? '').trimEnd(), heading })
      continue
    }
    for (const paragraph of part.split(/\n\s*\n/).map((text) => text.trim())) {
      const title = /^#+ (.*)$/.exec(paragraph)?.[1]
      if (title !== undefined) {
        heading = title
        page.headings.push(title)
      } else if (paragraph.startsWith('|')) page.tables.push(readTable(paragraph, heading))
      else page.texts.push(...paragraph.split(/^(?:- |\d+\. )/m).map((text) => text.trim()))
    }
    prose.push(part)
  }
  page.texts = page.texts.filter(Boolean)
  page.links = [...prose.join('\n').matchAll(/!?\[[^\]]*\]\(([^)]+)\)/g)].map(([, target]) => target ?? '')
  return page
}

function readTable(text: string, heading: string): Table {
  const [header = [], , ...rows] = text.split('\n').map((line) =>
    line
      .replace(/^\||\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
  return { heading, header, rows }
}

/** A text without its marks: each link is its words, each piece of code one word. */
function plainProse(markdown: string): string {
  return markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/`[^`]*`/g, 'Code')
    .replace(/\*\*/g, '')
}

/** The sentences of a text, and how many words each has. */
export function sentencesOf(markdown: string): { sentence: string; words: number }[] {
  return plainProse(markdown)
    .split(/(?<=[.!?][”)]?)\s+(?=[^a-z])/)
    .map((sentence) => ({ sentence, words: sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length }))
}

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return plainCode(heading)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

function plainCode(heading: string): string {
  return heading.replaceAll('`', '')
}

/** What is written as code in a text, in order. */
export function codeIn(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '')
}
