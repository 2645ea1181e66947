import { expect, test } from 'vitest'
import { decodeText } from '../../../src/feeds/parse/decode.ts'

/** Language tag, encoding, and a text of a feed that declares neither. */
const undeclared: [string, string, string][] = [
  ['ja', 'shift_jis', '駅前の図書館が来月から日曜日も開くことになった。市民の声を受けた決定だという。'],
  ['ja', 'euc-jp', '駅前の図書館が来月から日曜日も開くことになった。市民の声を受けた決定だという。'],
  ['zh-CN', 'gb18030', '市图书馆从下个月起星期天也开放，工作人员说这是听取读者意见以后的决定。'],
  ['zh-Hant-HK', 'big5', '市圖書館從下個月起星期天也開放，工作人員說這是聽取讀者意見以後的決定。'],
  ['ko', 'euc-kr', '시립 도서관이 다음 달부터 일요일에도 문을 연다. 시민들의 의견을 들은 결정이다.'],
  ['ru', 'windows-1251', 'Городская библиотека со следующего месяца будет открыта и по воскресеньям.'],
  ['ru', 'koi8-r', 'Городская библиотека со следующего месяца будет открыта и по воскресеньям.'],
  ['ru', 'iso-8859-5', 'Городская библиотека со следующего месяца будет открыта и по воскресеньям.'],
  ['uk', 'koi8-u', 'Міська бібліотека з наступного місяця працюватиме і в неділю, її відвідують щодня.'],
  ['el', 'windows-1253', 'Η δημοτική βιβλιοθήκη θα ανοίγει από τον άλλο μήνα και τις Κυριακές. Άρχισε ήδη.'],
  ['el', 'iso-8859-7', 'Η δημοτική βιβλιοθήκη θα ανοίγει από τον άλλο μήνα και τις Κυριακές. Άρχισε ήδη.'],
  ['he', 'windows-1255', 'הספרייה העירונית תיפתח מהחודש הבא גם בימי שישי בבוקר, לבקשת התושבים.'],
  ['ar', 'windows-1256', 'تفتح مكتبة المدينة أبوابها يوم الجمعة أيضا ابتداء من الشهر المقبل بطلب من القراء.'],
  ['th', 'windows-874', 'ห้องสมุดของเมืองจะเปิดในวันอาทิตย์ด้วยตั้งแต่เดือนหน้าเป็นต้นไป'],
  ['tr', 'windows-1254', 'Şehir kütüphanesi gelecek aydan başlayarak pazar günleri de açık olacak, başkan söyledi.'],
  [
    'pl',
    'windows-1250',
    'Biblioteka miejska będzie otwarta także w niedziele, gdyż prosili o to czytelnicy; świetnie.',
  ],
  ['cs', 'iso-8859-2', 'Městská knihovna bude od příštího měsíce otevřena i v neděli, řekl včera starosta.'],
  ['fr', 'windows-1252', 'La bibliothèque sera ouverte le dimanche dès le mois prochain ; l’idée était très demandée.'],
]

test.each(undeclared)('an undeclared encoding is found by its language %s: %s', (language, label, text) => {
  const document = feed(text, `<language>${language}</language>`)
  expect(decodeText(encode(document, label), null)).toBe(document)
})

const sure = undeclared.filter(([language]) => !['pl', 'cs', 'tr'].includes(language))

test.each(sure)('an undeclared encoding of a long text is found without a language (%s, %s)', (_, label, text) => {
  const document = feed(text, '')
  expect(decodeText(encode(document, label), null)).toBe(document)
})

test('the country of the site is a hint, where no language is named', () => {
  const document = feed('Nowości z żeglugi', '<link>https://port.example.pl/</link>')
  expect(decodeText(encode(document, 'iso-8859-2'), null)).toBe(document)
  const elsewhere = document.replace('.pl/', '.com/')
  expect(decodeText(encode(elsewhere, 'iso-8859-2'), null)).not.toBe(elsewhere)
})

test('a declaration that is not true counts as none', () => {
  const [, , text = ''] = undeclared[5] ?? []
  const document = feed(text, '<language>ru</language>').replace('?>', ' encoding="utf-8"?>')
  expect(decodeText(encode(document, 'windows-1251'), 'text/xml; charset=us-ascii')).toBe(document)
  expect(decodeText(encode(document, 'windows-1251'), 'text/xml; charset=euc-jp')).toBe(document)
})

test('a true declaration counts more than the language', () => {
  const document = feed('Zażółć gęślą jaźń', '<language>ru</language>').replace('?>', ' encoding="iso-8859-2"?>')
  expect(decodeText(encode(document, 'iso-8859-2'), null)).toBe(document)
})

test.each(['', '\ufeff'])('one damaged character leaves a feed in UTF-8, with the mark “%s” and without', (mark) => {
  const bytes = Buffer.from(`${mark}<rss><language>ru</language><title>Мост – открыт ~ 5 £`)
  bytes[bytes.indexOf('~')] = 0x96
  expect(decodeText(bytes, null)).toBe('<rss><language>ru</language><title>Мост – открыт – 5 £')
})

function feed(text: string, head: string): string {
  return `<?xml version="1.0"?><rss version="2.0"><channel>${head}<title>The Post</title><item><title>${text}</title></item></channel></rss>`
}

/** The bytes of a text in a legacy encoding, which Node.js only decodes. */
function encode(text: string, label: string): Uint8Array {
  const decoder = new TextDecoder(label)
  const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), [byte]]))
  const leads = /^(?:shift|euc|gb|big5)/.test(label) ? Array.from({ length: 0x7e }, (_, index) => 0x81 + index) : []
  for (const lead of leads)
    for (let trail = 0x40; trail < 0xff; trail++) {
      const character = decoder.decode(Uint8Array.of(lead, trail))
      if ([...character].length === 1 && !bytes.has(character)) bytes.set(character, [lead, trail])
    }
  return Uint8Array.from([...text].flatMap((character) => bytes.get(character) ?? fail(`${label} lacks ${character}`)))
}

function fail(message: string): never {
  throw new Error(message)
}
