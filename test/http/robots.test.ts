import { expect, test } from 'vitest'
import { compileRules, mayFetch, readRobots } from '../../src/http/robots.ts'

const may = (robots: string, path: string) => mayFetch(compileRules(readRobots(robots)), `https://site.example${path}`)
const everybody = (...lines: string[]) => `User-agent: *\n${lines.join('\n')}`

test.each([
  // pattern, path, whether the pattern matches; the examples of RFC 9309 §2.2.3 and of Google's documentation
  ['/', '/anything', true],
  ['/fish', '/fish', true],
  ['/fish', '/fish.html', true],
  ['/fish', '/Fish.asp', false],
  ['/fish', '/catfish', false],
  ['/fish*', '/fishheads/yummy.html', true],
  ['/fish/', '/fish', false],
  ['/fish/', '/fish/salmon.htm', true],
  ['/*.php', '/filename.php', true],
  ['/*.php', '/folder/any.php.file.html', true],
  ['/*.php', '/windows.PHP', false],
  ['/*.php$', '/folder/filename.php', true],
  ['/*.php$', '/filename.php?parameters', false],
  ['/*.php$', '/filename.php5', false],
  ['/fish*.php', '/fishheads/catfish.php?parameters', true],
  ['/fish*.php', '/Fish.PHP', false],
  ['/$', '/', true],
  ['/$', '/page', false],
  ['/a*b*c$', '/abbc', true],
  ['/a*b*c$', '/abcb', false],
  ['/a*a$', '/a', false],
  ['*', '/x', true],
  ['/path?q=1', '/path?q=12', true],
  ['/é', '/%C3%A9t%C3%A9', true],
  ['/%c3%a9', '/été', true],
  ['/%7Ejoe', '/~joe/x', true],
  ['/a%2Fb', '/a/b', false],
])('%s and %s: %s', (pattern, path, matches) => {
  expect(may(everybody(`Disallow: ${pattern}`), path)).toBe(!matches)
})

test('the longest rule decides, whatever its place, and of two as long the one that allows', () => {
  expect(may(everybody('Disallow: /', 'Allow: /p'), '/page')).toBe(true)
  expect(may(everybody('Allow: /p', 'Disallow: /'), '/other')).toBe(false)
  expect(may(everybody('Allow: /folder', 'Disallow: /folder'), '/folder/page')).toBe(true)
  expect(may(everybody('Disallow: /folder', 'Allow: /folder'), '/folder/page')).toBe(true)
  expect(may(everybody('Allow: /page', 'Disallow: /*.htm'), '/page.htm')).toBe(false)
})

test('a group that names us counts instead of the one for everybody, in any case, however often', () => {
  const robots = `User-agent: *\nDisallow: /\n\nuser-agent: other\nUSER-AGENT: LastWord/2.0 # us\nDisallow: /a\n
    User-agent: other\nDisallow: /c\n\nUser-agent: lastword\nDisallow: /b`
  expect(['/a', '/b', '/c', '/d'].map((path) => may(robots, path))).toEqual([false, false, true, true])
  expect(may('User-agent: lastwordbot\nDisallow: /', '/x')).toBe(true)
  expect(may('User-agent: lastword\nDisallow:\n\nUser-agent: *\nDisallow: /', '/x')).toBe(true)
})

test('other records between do not end a group, and rules before any agent are nobody’s', () => {
  expect(may('Disallow: /x', '/x')).toBe(true)
  expect(may('User-agent: *\nSitemap: https://site.example/map.xml\nCrawl-delay: 3\nDisallow: /x', '/x')).toBe(false)
  expect(may('\ufeffUser-agent: *\r\nDisallow: /x\r\n', '/x')).toBe(false)
  expect(may('<html>User-agent: *\nDisallow: /x', '/x')).toBe(true)
  expect(may('User-agent: *\nDisallow: /robots.txt', '/robots.txt')).toBe(true)
})

test('a pattern of many stars comes to an end', () => {
  expect(may(everybody(`Disallow: /${'a*'.repeat(2000)}z`), `/${'a'.repeat(5000)}`)).toBe(true)
})

test('of a file with very many rules five thousand are read', () => {
  const rules = Array.from({ length: 6000 }, (_, index) => `Disallow: /${index}`)
  expect(readRobots(everybody(...rules))).toHaveLength(5000)
  expect(readRobots(['User-agent: lastword', ...rules].join('\n'))).toHaveLength(5000)
  expect(compileRules(Array(6000).fill({ path: '/', allow: true }))).toHaveLength(5000)
})

test('a rule of more than two thousand characters is passed over', () => {
  const path = `/${'a'.repeat(1999)}`
  expect(may(everybody(`Disallow: ${path}`), path)).toBe(false)
  expect(readRobots(everybody(`Disallow: ${path}a`, 'Disallow: /b'))).toEqual([{ path: '/b', allow: false }])
})
