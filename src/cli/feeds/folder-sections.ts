import type { Section } from '../../editions/digest.ts'

/**
 * Maps the folders of an OPML file to sections: the one with the same title or name, else a new one. Folder names are
 * compared without case; names of new sections are unique.
 */
export function folderSections(
  folders: string[],
  sections: Pick<Section, 'name' | 'title'>[],
): (folder: string) => string {
  const taken = new Set(sections.map(({ name }) => name))
  const names = new Map<string, string>()
  for (const folder of folders) {
    const key = folder.toLowerCase()
    if (names.has(key)) continue
    const same =
      sections.find(({ title }) => title.toLowerCase() === key) ??
      sections.find(({ name }) => name === withoutAccents(folder).replace(/[\s_]+/g, '-'))
    const name = same?.name ?? freeName(slugOf(folder), taken)
    names.set(key, name)
    taken.add(name)
  }
  return (folder) => names.get(folder.toLowerCase()) ?? ''
}

function freeName(slug: string, taken: Set<string>): string {
  for (let number = 2; taken.has(slug); number++) {
    if (!taken.has(`${slug}-${number}`)) return `${slug}-${number}`
  }
  return slug
}

/** A section name from a folder name; `section` if it has no letters from a to z. */
function slugOf(folder: string): string {
  const slug = withoutAccents(folder)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return /^[a-z]/.test(slug) ? slug : `section${slug && '-'}${slug}`
}

function withoutAccents(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
