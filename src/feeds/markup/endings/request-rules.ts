/** Requests to a reader of the page, each a paragraph of its own, with an example. */
export const requestRules: { language: string; example: string; match: RegExp }[] = [
  {
    language: 'en',
    example:
      'Quay Letter is a reader-supported publication. To receive new posts and support my work, consider becoming a free or paid subscriber.',
    match:
      /^(?:[^.!?]{1,80} )?is a reader-supported (?:publication|newsletter|guide|project)\.?(?:[^.!?]{0,80}\b(?:subscri|support|donat).{0,250})?$/iu,
  },
  {
    language: 'en',
    example: 'Thanks for reading Quay Letter! Subscribe for free to receive new posts and support my work.',
    match:
      /^thank(?:s| you) for reading\b.{0,120}[!.] (?:subscribe|this post is public|please (?:subscribe|share)).{0,150}$/iu,
  },
  {
    language: 'en',
    example: 'Subscribe now',
    match:
      /^(?:subscribe(?: (?:now|here|today|for free|to (?:our|my|the) newsletter))?|sign up(?: (?:now|here|for (?:our|my|the) newsletter))?|upgrade to paid|get (?:\d{1,3}% off|a group subscription)|give a gift subscription|start (?:a|your) free trial|refer a friend|join (?:now|the chat))[.!→»\s]{0,4}$/iu,
  },
  {
    language: 'en',
    example: 'Share on Facebook',
    match:
      /^(?:(?:share|tweet|pin|post|email|print|like|follow us)(?: (?:this(?: (?:post|article|story|page))?|it|on|via|by|to|with|in))?(?: (?:facebook|twitter|x|linkedin|whatsapp|telegram|reddit|pinterest|tumblr|pocket|mastodon|bluesky|threads|email|e-mail|e-mail|mail|a friend|friends))?(?: \(opens in new window\))?|leave a comment|(?:share|like) this:?|like loading\.{0,3}…?|loading\.{3}|share [\p{Lu}][^.!?]{1,60})[.!:→»\s]{0,4}$/iu,
  },
  {
    language: 'de',
    example: 'Jetzt abonnieren',
    match:
      /^(?:jetzt (?:abonnieren|anmelden)|(?:newsletter )?abonnieren|(?:auf (?:facebook|twitter|x|whatsapp|linkedin) )?teilen|teilen mit:?|gefällt mir:?(?: wird geladen.{0,3})?|kommentar (?:schreiben|hinterlassen))[.!→»\s]{0,4}$/iu,
  },
  {
    language: 'fr',
    example: 'S’abonner',
    match:
      /^(?:s[’']abonner(?: (?:maintenant|à la newsletter))?|abonnez-vous(?: (?:maintenant|à la newsletter))?|partager(?: (?:sur (?:facebook|twitter|x|whatsapp|linkedin)|cet article|:))?|laisser un commentaire)[.!:→»\s]{0,4}$/iu,
  },
  {
    language: 'es',
    example: 'Suscríbete ahora',
    match:
      /^(?:suscr[ií]b(?:ete|irse|irme|ase)(?: (?:ahora|gratis|a la newsletter|al boletín))?|compartir(?: (?:en (?:facebook|twitter|x|whatsapp|linkedin)|esto:?))?|deja un comentario)[.!:→»\s]{0,4}$/iu,
  },
  {
    language: 'pt',
    example: 'Assine agora',
    match:
      /^(?:assine(?: (?:agora|já|a newsletter))?|inscreva-se(?: (?:agora|na newsletter))?|compartilh(?:e|ar)(?: (?:no (?:facebook|twitter|x|whatsapp|linkedin)|isso:?))?|partilhar(?: isto:?)?|deixe um comentário)[.!:→»\s]{0,4}$/iu,
  },
  {
    language: 'it',
    example: 'Iscriviti ora',
    match:
      /^(?:iscriviti(?: (?:ora|alla newsletter))?|abbonati(?: ora)?|condividi(?: (?:su (?:facebook|twitter|x|whatsapp|linkedin)|:))?|lascia un commento)[.!:→»\s]{0,4}$/iu,
  },
  {
    language: 'nl',
    example: 'Nu abonneren',
    match:
      /^(?:nu abonneren|abonneer(?: nu| je)?|(?:dit )?delen(?: (?:op (?:facebook|twitter|x|whatsapp|linkedin)|:))?|laat een reactie achter)[.!:→»\s]{0,4}$/iu,
  },
]

const maxRequestLength = 400

/** Whether a whole paragraph only asks its reader to subscribe, share or comment. */
export function isRequest(paragraph: string): boolean {
  const text = paragraph
    .slice(0, maxRequestLength + 1)
    .replace(/\s+/g, ' ')
    .trim()
  return (
    text.length <= maxRequestLength &&
    paragraph.length <= maxRequestLength * 2 &&
    requestRules.some(({ match }) => match.test(text))
  )
}
