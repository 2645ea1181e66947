import type { PictureRole } from '../../pictures/role.ts'
import type { Image } from '../../store/articles/article.ts'
import type { Section } from '../digest.ts'
import type { Draft, DraftArticle } from '../edition.ts'

/** A picture where the layout shows it. `article`: null for a block of the editors. */
export type PlacedPicture = {
  image: Pick<Image, 'url' | 'alt'>
  role: PictureRole
  article: string | null
  title: string
}

/** What the layout shows beside the article at this place (0 is the first), and as what; null if it shows no picture. */
export function pictureOf(
  article: Pick<DraftArticle, 'image' | 'portrait'>,
  layout: Section['layout'],
  index: number,
): { image: Image; role: PictureRole } | null {
  const role = roleAt(layout, index)
  const image = role === 'portrait' ? (article.portrait ?? article.image) : article.image
  return image && role && { image, role }
}

function roleAt(layout: Section['layout'], index: number): PictureRole | null {
  if (layout === 'focus' || layout === 'have-your-say') return null
  if (layout === 'last-word') return 'portrait'
  return index === 0 ? 'wide' : 'thumbnail'
}

/** All pictures of the draft, those of blocks last. */
export function picturesIn({ sections, edited }: Pick<Draft, 'sections' | 'edited'>): PlacedPicture[] {
  const ofArticles = sections.flatMap(({ section, items }) => {
    const articles = items.flatMap((item) => (item.kind === 'article' ? [item.article] : []))
    return articles.flatMap((article, index) => {
      const shown = pictureOf(article, section.layout, index)
      return shown ? [{ ...shown, article: article.id, title: article.title }] : []
    })
  })
  const ofBlocks = (edited?.blocks ?? []).flatMap(({ picture, heading }) =>
    picture ? [{ image: picture, role: 'wide' as const, article: null, title: heading }] : [],
  )
  return [...ofArticles, ...ofBlocks]
}
