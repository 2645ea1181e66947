import type { Section } from '../../editions/digest.ts'

/**
 * The section that each folder of a list of feeds is: the one with its title or its name, else a new one. Folders are the
 * same where they are called the same, in any case; names that would be one for several folders are numbered.
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

/** A name in the letters that names have; one that has none of them is called `section`. */
function slugOf(folder: string): string {
  const slug = withoutAccents(folder)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return /^[a-z]/.test(slug) ? slug : `section${slug && '-'}${slug}`
}

function withoutAccents(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
