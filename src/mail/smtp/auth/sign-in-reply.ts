/**
 * Words in replies to a sign-in that help an operator. No other text that a relay sends between AUTH and the end of the
 * sign-in is shown, since the relay has the password and may repeat it in any form.
 */
const vocabulary = new Set(
  `a about accept accepted access account accounts active address administrator again all allow allowed an and app application
  application-specific are as at auth authenticate authenticated authentication authorization bad be because been before
  blocked browser busy by can cannot change check client closing code command confirm connection contact could create
  credential credentials date denied did disabled do does email enable enabled encryption error exceeded expired fail failed
  failure first for found from go has have host if in incorrect insufficient internal invalid ip is it key later limit limited local
  locked log login mailbox mail many match mechanism message method missing more must name need needed network next no not
  now of off ok on only or organization out password passwords permission permitted please plain policy privileges problem
  protocol provided quota rate reached refused rejected required require requires resource response retry revoked
  secure security send sending security-defaults sender server service session setting settings should sign sign-in sign-on signed smtp
  smtpclientauthentication smtpauthentication something starttls successful successfully such support supported suspended
  system temporarily temporary tenant than that the there this time timeout tls to token too transmission try two-factor
  two-step unable unavailable unknown unrecognized unsuccessful unsupported use used user user's username using valid
  verification verify visit wait was web welcome went what with wrong xoauth2 you your VXNlcm5hbWU6 UGFzc3dvcmQ6`
    .split(/\s+/)
    .map((word) => word.toLowerCase()),
)

const withheld = '********'

/**
 * The safe part of a reply to a sign-in: in each line the code, the enhanced status code (RFC 3463), and the known
 * words that are in no secret. Takes time in proportion to the first 2,000 characters.
 */
export function signInReply(reply: string, secrets: string[]): string {
  const known = secrets.map((secret) => secret.toLowerCase())
  const lines = reply.slice(0, 2000).split(/[\r\n]+/)
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => knownWords(line, known))
    .join('\n')
}

function knownWords(line: string, secrets: string[]): string {
  const [begin = ''] = /^\d{3}(?:[ -][245]\.\d{1,3}\.\d{1,3}(?!\S)|[ -](?=\s*\S)|(?=\s*$))/.exec(line) ?? []
  const words = line.slice(begin.length).split(/\s+/).filter(Boolean)
  const shown = words.map((word) => (isKnown(word, secrets) ? word : withheld))
  const once = shown.filter((word, index) => word !== withheld || shown[index - 1] !== withheld)
  return /[ -]$/.test(begin) ? begin + once.join(' ') : [begin, ...once].filter(Boolean).join(' ')
}

function isKnown(word: string, secrets: string[]): boolean {
  const plain = word.replace(/^[("'[]+|[)"'\].,:;!?]+$/g, '').toLowerCase()
  if (word.length > plain.length + 4 || !vocabulary.has(plain)) return plain === '' && word.length === 1
  return plain.length < 3 || !secrets.some((secret) => secret.includes(plain))
}
