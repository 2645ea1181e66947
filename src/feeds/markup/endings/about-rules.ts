import type { EndingRule } from './ending-rule.ts'

/** Lines that are about an entry, or say that it has no text. */
export const aboutRules: EndingRule[] = [
  ['en', '[link] [12 comments]', /^\[link\](?:\s{1,3}\[(?:\d{1,7} )?comments?\])?$/iu],
  ['en', 'Comments URL: https://board.example/1', /^(?:Article|Comments) URL: \S{1,2000}$/u],
  ['en', '# Comments: 3', /^(?:Points|# Comments): \d{1,7}$/u],
  [
    'en',
    'submitted by /u/mira to r/harbour [link] [1143 comments]',
    /^submitted by\s{1,3}\/?u\/\S{1,60}(?:\s{1,3}to\s{1,3}\/?r\/\S{1,60})?(?:\s{1,3}\[link\])?(?:\s{1,3}\[(?:\d{1,7} )?comments?\])?$/iu,
  ],
  [
    'en',
    'Article URL: https://harbour.example/a Comments URL: https://board.example/1 Points: 12 # Comments: 3',
    /^Article URL: \S{1,2000}(?: Comments URL: \S{1,2000})?(?: Points: \d{1,7})?(?: # Comments: \d{1,7})?$/u,
  ],
  ['en', 'Comments', /^(?:\d{1,6} )?comments?(?: ?\(\d{1,6}\))?$/iu],
  ['de', 'Kommentare', /^(?:\d{1,6} )?kommentare?$/iu],
  ['fr', 'Commentaires', /^(?:\d{1,6} )?commentaires?$/iu],
  ['es', 'Comentarios', /^(?:\d{1,6} )?comentarios?$/iu],
  ['it', 'Commenti', /^(?:\d{1,6} )?commenti$/iu],
  ['nl', 'Reacties', /^(?:\d{1,6} )?reacties?$/iu],
  ['ru', 'Комментарии', /^комментарии$/iu],
  ['ja', 'コメント', /^コメント$/u],
  ['und', 'null', /^(?:null|undefined|none|nil|nan|n\/?a|\[object object\]|true|false|nothing|empty|tbd|todo)\.?$/iu],
  ['und', '[…]', /^[\s.…[\]()_–—·•*|/\\-]+$/u],
  [
    'en',
    'No content.',
    /^no (?:content|description|summary|text|excerpt|abstract)(?: (?:available|provided|found|yet))?\.?$/iu,
  ],
  ['de', 'Keine Beschreibung', /^keine? (?:beschreibung|inhalt|zusammenfassung)(?: (?:verfügbar|vorhanden))?\.?$/iu],
  ['fr', 'Aucune description', /^(?:aucune?|pas de) (?:description|contenu|résumé)(?: disponible)?\.?$/iu],
  ['es', 'Sin descripción', /^(?:sin|no hay) (?:descripción|contenido|resumen)(?: disponible)?\.?$/iu],
].map(([language, example, match]) => ({ language, example, match }) as EndingRule)
