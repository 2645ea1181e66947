import type { EndingRule } from './ending-rule.ts'

const named = (open: string, middle: string, end = ''): RegExp =>
  new RegExp(`^${open}(?<title>.{1,500}?)${middle}.{1,200}?${end}[.。]?$`, 'iu')

/** "The post X appeared first on Y": a line of its own, or after the text. `title` in a match is X. */
export const creditRules: EndingRule[] = [
  [
    'en',
    'The post Fares rise appeared first on The Post.',
    named('The post ', ' (?:appeared first|first appeared) on '),
  ],
  ['en', 'Fares rise was first published on The Post.', named('', ' was (?:first|originally) published (?:on|at|in) ')],
  [
    'en',
    'The article Fares rise first appeared on The Post.',
    named('The article ', ' (?:appeared first|first appeared|was first published) on '),
  ],
  [
    'de',
    'Der Beitrag Preise steigen erschien zuerst auf Post.',
    named('Der (?:Beitrag|Artikel) ', ' (?:erschien|ist) (?:zuerst|zuletzt|erstmals)(?: erschienen)? (?:auf|bei|in) '),
  ],
  [
    'fr',
    'L’article Les prix montent est apparu en premier sur Le Port.',
    named("(?:L[’']article|Le post|Cet article) ", ' est apparu en premier sur '),
  ],
  [
    'es',
    'La entrada Sube el precio se publicó primero en El Puerto.',
    named(
      '(?:La entrada|El artículo|El post) ',
      ' (?:se publicó primero|apareció primero|aparece primero|se publicó por primera vez) en ',
    ),
  ],
  [
    'it',
    'L’articolo I prezzi salgono proviene da Il Porto.',
    named("L[’']articolo ", ' (?:proviene da|sembra essere il primo su|è apparso (?:prima|per la prima volta) su) '),
  ],
  [
    'pt',
    'O post Preços sobem apareceu primeiro em O Porto.',
    named(
      '(?:O (?:post|conteúdo|artigo)|A publicação) ',
      ' (?:apareceu|aparece|foi publicado) (?:primeiro|em primeiro lugar|pela primeira vez) (?:em|no|na|n[oa]s) ',
    ),
  ],
  [
    'ca',
    'L’entrada Pugen els preus ha aparegut primer a El Port.',
    named("L[’']entrada ", " (?:ha aparegut primer|s[’']ha publicat primer|apareix primer) a "),
  ],
  [
    'gl',
    'A entrada Soben os prezos publicouse primeiro en O Porto.',
    named('A entrada ', ' (?:publicouse|apareceu) primeiro en '),
  ],
  [
    'nl',
    'Het bericht Prijzen stijgen verscheen eerst op De Haven.',
    named('(?:Het bericht|Het artikel) ', ' (?:verscheen|is) (?:het )?(?:eerst|als eerste)(?: verschenen)? op '),
  ],
  [
    'sv',
    'Inlägget Priserna stiger dök först upp på Hamnen.',
    named('Inlägget ', ' (?:dök först upp på|publicerades först på|visades först på) '),
  ],
  [
    'da',
    'Indlægget Priserne stiger blev først udgivet på Havnen.',
    named('Indlægget ', ' (?:blev først udgivet på|blev først vist på|vises først på|dukkede først op på) '),
  ],
  [
    'no',
    'Innlegget Prisene stiger dukket først opp på Havna.',
    named('Innlegget ', ' (?:dukket først opp på|ble først publisert på|vises først på) '),
  ],
  [
    'fi',
    'Artikkeli Hinnat nousevat julkaistiin ensimmäisen kerran Satama.',
    named('(?:Artikkeli|Julkaisu) ', ' (?:julkaistiin ensimmäisen kerran|ilmestyi ensin|ilmestyi ensimmäisenä) '),
  ],
  ['is', 'The post Verð hækkar birtist fyrst á Höfnin.', named('(?:The post|Færslan|Greinin) ', ' birtist fyrst á ')],
  [
    'pl',
    'Artykuł Ceny rosną pochodzi z serwisu Port.',
    named('(?:Artykuł|Wpis|Post) ', ' (?:pochodzi z(?: serwisu)?|pojawił się (?:po raz pierwszy|najpierw) (?:w|na)) '),
  ],
  [
    'cs',
    'Příspěvek Ceny rostou pochází z Přístav.',
    named(
      '(?:Příspěvek|Článek) ',
      ' (?:pochází z|se nejdříve objevil na|se nejprve objevil na|byl nejprve publikován na) ',
    ),
  ],
  [
    'sk',
    'Príspevok Ceny rastú sa najskôr objavil na Prístav.',
    named('(?:Príspevok|Článok) ', ' (?:sa (?:najskôr|najprv) (?:objavil|zobrazil) na|pochádza z) '),
  ],
  [
    'hu',
    'A Drágul a komp bejegyzés először a Kikötő oldalon jelent meg.',
    named('Az? ', ' bejegyzés először ', ' jelent meg'),
  ],
  [
    'ro',
    'Articolul Cresc prețurile apare prima dată în Portul.',
    named('Articolul ', ' (?:apare prima dată (?:în|pe)|a apărut prima dată (?:în|pe)) '),
  ],
  [
    'hr',
    'Objava Cijene rastu pojavila se prvi puta na Luka.',
    named('(?:Objava|Članak) ', ' (?:pojavil[ao]|pojavio) se (?:prvi puta?|prvo) na '),
  ],
  [
    'sl',
    'Prispevek Cene rastejo je bil najprej objavljen na Luka.',
    named('(?:Prispevek|Objava) ', ' (?:je bil najprej objavljen|se je najprej pojavil|se pojavi najprej) na '),
  ],
  [
    'tr',
    'Fiyatlar artıyor yazısı ilk önce Liman üzerinde ortaya çıktı.',
    named('', ' (?:yazısı )?ilk önce ', ' ortaya çıktı'),
  ],
  [
    'el',
    'Το άρθρο Ακριβότερα εισιτήρια εμφανίστηκε πρώτα στο Λιμάνι.',
    named('(?:Το άρθρο|Η δημοσίευση) ', ' (?:εμφανίστηκε|δημοσιεύτηκε|δημοσιεύθηκε) πρώτ[αο] (?:στο|στη|στην|σε) '),
  ],
  [
    'ru',
    'Сообщение Цены растут появились сначала на Порт.',
    named(
      '(?:Сообщение|Запись|Статья) ',
      ' (?:появил(?:ось|ась|ись)|опубликован[ао]?) (?:сначала|впервые|первым) (?:на|в) ',
    ),
  ],
  [
    'uk',
    'Запис Ціни зростають спершу з’явився на Порт.',
    named(
      '(?:Запис|Допис|Стаття|Повідомлення) ',
      " (?:(?:спершу|спочатку|вперше) з[’'ʼ]явив?(?:ся|лася|лось|лося)|з[’'ʼ]яв(?:ився|илася|илося) (?:спочатку|спершу|вперше)) (?:на|в) ",
    ),
  ],
  [
    'bg',
    'Публикацията Цените растат се появи първо в Порт.',
    named('(?:Публикацията|Материалът) ', ' (?:се появи|е публикуван[ао]?) (?:първо|за пръв път) (?:в|на) '),
  ],
  [
    'ja',
    '投稿 運賃が上がる は 港の便り に最初に表示されました。',
    named('(?:投稿|The post) ?', ' ?(?:は|が) ?', ' ?に最初に(?:表示|投稿|掲載)されました'),
  ],
  [
    'zh',
    '票价上涨最先出现在港口报。',
    named('', ' ?(?:最先出现在|首先出现在|最早出现于|最先出現於|這篇文章最早發佈於|最早發佈於) ?'),
  ],
  [
    'ko',
    '게시물 요금 인상이 항구에 처음 등장했습니다.',
    named(
      '(?:게시물 |The post )?',
      ' ?(?:이|가|은|는)? ',
      ' ?(?:에|에서)? ?처음 (?:등장|게시|나타)(?:했습니다|되었습니다|났습니다)',
    ),
  ],
  [
    'ar',
    'ظهرت المقالة ارتفاع الأسعار أولاً على الميناء.',
    named('(?:ظهرت المقالة|ظهر المقال|نشرت المقالة|المقالة) ', ' (?:أولاً|أولا|ظهرت أولاً|نشرت أولا) (?:على|في) '),
  ],
  ['he', 'הפוסט המחירים עולים הופיע לראשונה ב-הנמל.', named('הפוסט ', ' (?:הופיע לראשונה|פורסם לראשונה) ב-? ?')],
  [
    'fa',
    'نوشته افزایش قیمت اولین بار در بندر پدیدار شد.',
    named('(?:نوشته|پست) ', ' اولین بار در ', ' (?:پدیدار شد|به نظر رسید|منتشر شد)'),
  ],
  [
    'vi',
    'Bài viết Giá tăng đã xuất hiện đầu tiên vào ngày Cảng.',
    named('Bài (?:viết|đăng) ', ' (?:đã )?xuất hiện (?:đầu tiên|lần đầu)(?: (?:vào ngày|trên|tại))? '),
  ],
  [
    'id',
    'Artikel Harga naik pertama kali tampil pada Pelabuhan.',
    named(
      '(?:Artikel|Postingan|The post) ',
      ' (?:pertama kali )?(?:tampil|muncul)(?: pertama(?: kali)?)? (?:pada|di) ',
    ),
  ],
  [
    'cy',
    'Ymddangosodd y post Prisiau’n codi yn gyntaf ar Yr Harbwr.',
    named('Ymddangosodd (?:y post |yr erthygl )?', ' (?:yn gyntaf|gyntaf|am y tro cyntaf) (?:ar|yn) '),
  ],
  ['cy', 'Ymddangosodd Prisiau’n codi gyntaf ar Yr Harbwr.', named('Ymddangosodd ', ' gyntaf ar ')],
  [
    'ga',
    'Foilsíodh an post Praghsanna ar dtús ar An Cuan.',
    named("(?:Foilsíodh|D[’']fhoilsigh) (?:an post )?", ' ar dtús ar '),
  ],
  [
    'eu',
    'Prezioak gora sarrera Portua-n agertu zen lehenengo.',
    named('', ' (?:sarrera|bidalketa) ', ' agertu zen (?:lehenengo|lehen)'),
  ],
].map(([language, example, match]) => ({ language, example, match }) as EndingRule)
