/** A subscriber who does not exist, with an address in a domain for examples (RFC 2606). */
export type MadeUpSubscriber = { email: string; name: string; attributes: Record<string, string> }

/** Always returns the same people in the same order, with different addresses for any `count`. */
export function madeUpSubscribers(count: number): MadeUpSubscriber[] {
  const seen = new Map<string, number>()
  return Array.from({ length: count }, (_, index) => {
    const { name, mailbox } = person(index)
    const [role, organisation, region] = [
      pickItem(roles, index, 3),
      pickItem(organisations, index, 4),
      pickItem(regions, index, 5),
    ]
    return {
      email: uniqueAddress(mailbox, pickItem(domains, index, 6), seen),
      name,
      attributes: { role, organisation, region },
    }
  })
}

type Person = { name: string; mailbox: string }

/** One in twenty has a name that breaks careless programs, one in five a name in another script than Latin. */
function person(index: number): Person {
  if (index % 20 === 13) return itemAt(awkwardNames, Math.floor(index / 20))
  if (index % 5 === 4) return itemAt(otherScripts, Math.floor(index / 5))
  const { given, family } = itemAt(families, index)
  const name = `${pickItem(given, index, 1)} ${pickItem(family, index, 2)}`
  return { name, mailbox: mailboxOf(name) }
}

function itemAt<Item>(list: readonly Item[], index: number): Item {
  return list[index % list.length] as Item
}

/** Pseudo-random and repeatable: the upper bits of Knuth's multiplicative hash. */
function pickItem<Item>(list: readonly Item[], index: number, salt: number): Item {
  const mixed = Math.imul(Math.imul(index + 1, 0x9e3779b1) ^ (salt * 0x85ebca6b), 0xc2b2ae35)
  return itemAt(list, mixed >>> 16)
}

/** `Siân O’Hara` → `sian.o'hara`: removes accents, and spells out letters such as ß. */
function mailboxOf(name: string): string {
  const spelled = name.toLowerCase().replace(/[ßłøđðþæı]/g, (letter) => asciiLetters[letter] ?? letter)
  const ascii = spelled.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('’', "'")
  return ascii.replace(/[^a-z']+/g, '.')
}

const asciiLetters: Record<string, string> = { ß: 'ss', ł: 'l', ø: 'o', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', ı: 'i' }

/** The second person with a name and a domain gets a 2. It is unique, since no mailbox ends in a digit. */
function uniqueAddress(mailbox: string, domain: string, seen: Map<string, number>): string {
  const count = (seen.get(`${mailbox}@${domain}`) ?? 0) + 1
  seen.set(`${mailbox}@${domain}`, count)
  return `${mailbox}${count === 1 ? '' : count}@${domain}`
}

/** Given and family names of one language each. */
const families = [
  {
    given: ['Margaret', 'Gareth', 'Eleanor', 'Callum', 'Rosalind', 'Hamish', 'Bronwen', 'Alasdair', 'Imogen', 'Rhys'],
    family: [
      'Ashworth',
      'Pennington',
      'Tattersall',
      'MacAulay',
      'Prydderch',
      'Fairweather',
      'Birtwhistle',
      'Llewellyn-Price',
    ],
  },
  {
    given: ['Niamh', 'Seán', 'Aoife', 'Oisín', 'Róisín', 'Pádraig', 'Siobhán', 'Eoin'],
    family: ['O’Hara', 'Ní Dhomhnaill', 'MacGinty', 'O’Sullivan', 'Ó Braonáin', 'Fitzgerald', 'Kavanagh'],
  },
  {
    given: ['Priya', 'Arjun', 'Meera', 'Rohan', 'Kavitha', 'Vikram', 'Anjali', 'Sanjay'],
    family: ['Raghunathan', 'Chaudhuri', 'Deshpande', 'Iyer', 'Patel', 'Mukherjee', 'Nambiar'],
  },
  {
    given: ['Nkechi', 'Daniel', 'Ifeoma', 'Kwame', 'Adaeze', 'Tunde', 'Wilhelmina', 'Olúwaṣeun'],
    family: ['Adeyemi', 'Osei', 'Okonjo', 'Adjei', 'Nwosu', 'Boateng', 'Ọdúṣọlá'],
  },
  {
    given: ['Yasmin', 'Rafiq', 'Layla', 'Tariq', 'Samira', 'Bilal', 'Zaynab', 'Idris'],
    family: ['Haddad', 'Qureshi', 'El-Khatib', 'Rahman', 'Benyahia', 'Siddiqui', 'Al-Masri'],
  },
  {
    given: ['Tomasz', 'Małgorzata', 'Łukasz', 'Agnieszka', 'Zdeněk', 'Božena', 'Ştefan', 'Ilinca'],
    family: ['Wierzbicki', 'Wiśniewska', 'Żółkiewski', 'Dvořák', 'Černý', 'Țurcanu', 'Nagy-Szabó'],
  },
  {
    given: ['Zoë', 'Søren', 'Åsa', 'Jürgen', 'Þóra', 'Hélène', 'Renée', 'Ólafur'],
    family: ['Lindqvist', 'Ødegård', 'Weiß', 'Müller-Lüdenscheidt', 'Sigurðardóttir', 'Lefèvre', 'Marchetti'],
  },
  {
    given: ['Marisol', 'João', 'Iñaki', 'Conceição', 'Ximena', 'Ângelo', 'Begoña', 'Thiago'],
    family: ['Núñez', 'Gonçalves', 'Etxeberria', 'Muñoz Peña', 'Guimarães', 'Castellà', 'de la Cruz'],
  },
  {
    given: ['Linh', 'Đức', 'Mei', 'Thảo', 'Hana', 'Kiri', 'Ayşe', 'Işıl'],
    family: ['Nguyễn', 'Trần', 'Chen', 'Tanaka', 'Ngata', 'Yıldız', 'Öztürk'],
  },
] as const

const otherScripts: readonly Person[] = [
  { name: 'Олена Шевченко', mailbox: 'olena.shevchenko' },
  { name: '王秀英', mailbox: 'wang.xiuying' },
  { name: 'محمد الفارسي', mailbox: 'm.alfarsi' },
  { name: 'Γεωργία Παπαδοπούλου', mailbox: 'g.papadopoulou' },
  { name: 'नेहा शर्मा', mailbox: 'neha.sharma' },
  { name: '佐藤 健太', mailbox: 'kenta.sato' },
  { name: 'יעל כהן', mailbox: 'yael.cohen' },
  { name: '김서연', mailbox: 'seoyeon.kim' },
  { name: 'গৌতম সেন', mailbox: 'goutam.sen' },
  { name: 'ਗੁਰਪ੍ਰੀਤ ਕੌਰ', mailbox: 'gurpreet.kaur' },
  { name: 'தமிழ்ச்செல்வி', mailbox: 'tamilselvi' },
  { name: 'ნინო ბერიძე', mailbox: 'nino.beridze' },
]

/** Names as people type them into forms; each must arrive unchanged. */
const awkwardNames: readonly Person[] = [
  { name: 'Anne "Annie" Clerk, CBE', mailbox: 'annie.clerk' },
  { name: 'Bobby <bobby@example.com>', mailbox: 'bobby+digest' },
  { name: '<script>alert("minutes")</script>', mailbox: 'script' },
  { name: '{{subscriber.email}} & Sons', mailbox: 'sons' },
  { name: 'Doe; DROP TABLE subscribers; --', mailbox: 'j.doe' },
  { name: '=HYPERLINK("http://example.com","Pay")', mailbox: 'accounts' },
  { name: 'O\\Brien (Parks\\Leisure)', mailbox: "o'brien" },
  { name: '=?utf-8?Q?Not_encoded?=', mailbox: 'encoded.word' },
  { name: '🌳 Tree Wardens 👩🏽‍🌾', mailbox: 'tree-wardens' },
  {
    name: 'Archibald Fotheringay-Featherstonehaugh-Cholmondeley of the Amalgamated Parishes of Upper and Lower Northwold',
    mailbox: 'a.f.f.cholmondeley',
  },
]

const domains = [
  'northwold.example.org',
  'harbourne.example.org',
  'mail.example.net',
  'saltmarsh-hospitals.example.org',
  'freeholm.example.com',
  'millbeckhomes.example.net',
  'wexcombe.example.org',
] as const

const roles = [
  'Councillor',
  'Clerk',
  'Head of service',
  'Chief executive',
  'Policy officer',
  'Engineer',
  'Finance director',
  'Nurse',
  'Reader',
  'Planner',
] as const

const organisations = [
  'Northwold District Council',
  'Harbourne Combined Authority',
  'Saltmarsh Hospitals',
  'Freeholm County Council',
  'Millbeck Homes',
  'Wexcombe County Council',
  'Fellside Parishes',
  'Tarnbrook Libraries',
] as const

const regions = ['North', 'Midlands', 'South West', 'East', 'London', 'Wales', 'Scotland', 'Northern Ireland'] as const
