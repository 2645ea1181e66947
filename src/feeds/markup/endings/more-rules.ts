import type { EndingRule } from './ending-rule.ts'

/** A label, `bare` ones alone, others with a name after them where the words are a link: "Continue reading on The Post »". */
const label = (words: string, bare = words): RegExp =>
  new RegExp(`^[[(<«‹]?(?:(?:${words})(?<name> [^.!?。]{1,100}?)|${words}|${bare})${tail}$`, 'iu')
const tail = '(?: ?(?:[.…!:»›→⟶➜>\\])-]|&(?:raquo|rarr|gt);)){0,8}'

/** Invitations to read on, whose label ends a text. `name` in a match is what follows the words. */
export const moreRules: EndingRule[] = [
  ['en', 'Continue reading on The Post »', label('continue reading')],
  [
    'en',
    'Read More',
    label(
      '(?:read|see|view|learn|find out) more',
      'more|read more here|click here(?: to (?:read|continue)[^.!?]{0,60})?',
    ),
  ],
  [
    'en',
    'Read the full article on The Post',
    label(
      '(?:read|view|see|get) (?:the )?(?:rest|full|whole|entire|complete|original)(?: of)?(?: (?:this|the))? (?:article|story|post|entry|text|piece|report|interview)|keep reading',
      '(?:the )?full (?:story|article|text)|read on|read (?:article|story|post)|source',
    ),
  ],
  ['en', '(more…)', /^\(more ?(?:…|\.\.\.)\)$/iu],
  [
    'de',
    'Weiterlesen',
    label(
      'weiterlesen|weiter lesen|mehr lesen|mehr erfahren|mehr dazu|lesen sie (?:mehr|weiter)|zum (?:ganzen |vollständigen )?(?:artikel|beitrag)|(?:den )?(?:ganzen|vollständigen) (?:artikel|beitrag) lesen',
    ),
  ],
  [
    'fr',
    'Lire la suite',
    label(
      "lire (?:la suite|plus|davantage|l[’']article)|continuer (?:la |à )?lecture|continuer à lire|poursuivre la lecture|en savoir plus|voir plus",
    ),
  ],
  [
    'es',
    'Leer más',
    label(
      '(?:leer|ver|saber) más|seguir leyendo|sigue leyendo|continuar leyendo|continúa leyendo|leer (?:el )?artículo(?: completo)?',
    ),
  ],
  [
    'it',
    'Continua a leggere',
    label(
      "continua (?:a leggere|la lettura)|leggi (?:tutto|di più|l[’']articolo|ancora|il resto)|per saperne di più|scopri di più",
    ),
  ],
  [
    'pt',
    'Leia mais no Porto!',
    label('(?:leia|ler|saiba|veja|ver) mais|continue (?:lendo|a ler|lendo)|continuar (?:lendo|a ler|leitura)'),
  ],
  [
    'ca',
    'Llegir més',
    label('(?:llegir|llegeix(?:-ne)?|llegiu(?:-ne)?|veure|saber-ne) més|continua llegint|continueu llegint'),
  ],
  ['gl', 'Ler máis', label('(?:ler|le) máis|continuar lendo|seguir lendo')],
  ['nl', 'Lees verder', label('lees (?:verder|meer)|verder lezen|meer lezen|lees het (?:hele|volledige) artikel')],
  ['sv', 'Läs mer', label('läs (?:mer|vidare|hela)(?: (?:artikeln|inlägget))?|fortsätt läsa?')],
  ['da', 'Læs mere', label('læs (?:mere|videre|hele)(?: (?:artiklen|indlægget))?|fortsæt (?:med at )?læs(?:e|ning)')],
  ['no', 'Les mer', label('les (?:mer|meir|videre|hele)(?: (?:saken|artikkelen|innlegget))?|fortsett å lese')],
  ['fi', 'Lue lisää', label('lue (?:lisää|koko (?:juttu|artikkeli)|loput)|jatka lukemista')],
  ['is', 'Lesa meira', label('lesa (?:meira|áfram)|halda áfram að lesa')],
  ['pl', 'Czytaj dalej', label('(?:czytaj|przeczytaj) (?:dalej|więcej|całość)|czytaj cały artykuł', 'więcej')],
  ['cs', 'Číst dále', label('číst (?:dál|dále|více|celé)|čtěte (?:dále|více)|pokračovat ve čtení|celý článek', 'více')],
  ['sk', 'Čítať ďalej', label('čítať (?:ďalej|viac)|čítajte (?:ďalej|viac)|pokračovať v čítaní', 'viac')],
  ['hu', 'Tovább olvasom', label('tovább (?:olvasom|olvasás|a cikkhez)|olvas[ds] tovább', 'tovább|bővebben|részletek')],
  [
    'ro',
    'Citește mai mult',
    label(
      'cite[șşs]te (?:mai (?:mult|departe)|tot|articolul|continuarea)|continuă (?:lectura|să citești)|vezi mai mult|află mai mult',
    ),
  ],
  ['hr', 'Pročitaj više', label('(?:pročitaj|čitaj|saznaj)(?:te)? (?:više|dalje)|nastavi čitati', 'opširnije')],
  ['sl', 'Preberi več', label('preberi(?:te)? več|nadaljuj z branjem|več o tem')],
  [
    'tr',
    'Devamını oku',
    label('devamını oku(?:yun)?|okumaya devam (?:et|edin)|daha fazla(?:sını)? oku', 'devamı|daha fazla(?:sı)?'),
  ],
  [
    'el',
    'Διαβάστε περισσότερα',
    label('διαβάστε (?:περισσότερα|τη συνέχεια|ολόκληρο)|συνέχεια ανάγνωσης', 'περισσότερα'),
  ],
  ['ru', 'Читать далее', label('чита(?:ть|йте) (?:далее|дальше|полностью|ещё|еще|больше)', 'подробнее|далее')],
  ['uk', 'Читати далі', label('чита(?:ти|йте) (?:далі|більше|повністю)', 'докладніше|детальніше|далі')],
  [
    'bg',
    'Прочетете още',
    label('прочет(?:и|ете) (?:още|повече|цялата)|виж(?:те)? още|чети(?:те)? (?:още|повече)', 'още'),
  ],
  ['ja', '続きを読む', label('続きを(?:読む|見る)|もっと(?:読む|見る)|詳しくはこちら|全文を読む|この記事の続きを読む')],
  [
    'zh',
    '阅读全文',
    label('继续阅读|阅读(?:全文|更多|原文)|繼續閱讀|閱讀(?:全文|更多|原文)|查看(?:全文|更多)|了解更多', '更多'),
  ],
  ['ko', '계속 읽기', label('계속 읽기|더 (?:읽기|보기)|자세히 (?:보기|읽기)|전체 (?:글|기사) 보기')],
  [
    'ar',
    'اقرأ المزيد',
    label('(?:اقرأ|إقرأ|قراءة|لقراءة) (?:المزيد|بقية المقال)|تابع القراءة|متابعة القراءة|أكمل القراءة', 'المزيد'),
  ],
  ['he', 'להמשך קריאה', label('(?:להמשך|המשך) קריאה|(?:ל)?קרא(?:ו)? עוד|למאמר המלא')],
  ['fa', 'ادامه مطلب', label('ادامه (?:مطلب|خواندن|نوشته)|بیشتر بخوانید|مطالعه بیشتر')],
  ['hi', 'और पढ़ें', label('(?:और|आगे) पढ़ें|पूरा पढ़ें|पढ़ना जारी रखें')],
  ['vi', 'Đọc tiếp', label('đọc (?:tiếp|thêm)|xem thêm|tiếp tục đọc')],
  [
    'id',
    'Baca selengkapnya',
    label('baca (?:selengkapnya|lebih lanjut|selanjutnya|juga|lagi)|lanjutkan membaca', 'selengkapnya'),
  ],
  [
    'cy',
    'Darllen mwy',
    label('(?:darllen|darllenwch|gweld|dysgu) (?:mwy|rhagor|ymlaen)|parhau i ddarllen|parhewch i ddarllen'),
  ],
  ['ga', 'Léigh tuilleadh', label('léigh (?:tuilleadh|níos mó|leat)|lean (?:ar aghaidh )?ag léamh')],
  ['eu', 'Irakurri gehiago', label('(?:irakurri|jarraitu) (?:gehiago|irakurtzen)')],
].map(([language, example, match]) => ({ language, example, match }) as EndingRule)
