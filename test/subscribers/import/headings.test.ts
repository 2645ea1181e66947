import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { detectDialect, readRows } from '../../../src/subscribers/import/csv.ts'
import { readPerson } from '../../../src/subscribers/import/row.ts'
import type { Meaning } from '../../../src/subscribers/import/states.ts'
import { surveyStates } from '../../../src/subscribers/import/survey.ts'

const folder = mkdtempSync(join(tmpdir(), 'lastword-headings-'))
afterAll(() => rmSync(folder, { recursive: true }))

const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`

/** What becomes of people whose cells under a heading hold these values; `stops` if nothing is imported. */
async function standings(heading: string, values: string[], mapping = new Map<string, Meaning>()) {
  const file = join(folder, 'list.csv')
  const rows = values.map((value, index) => `p${index}@a.example,${quoted(value)}`)
  writeFileSync(file, [`email,${quoted(heading)}`, ...rows].join('\n'))
  const dialect = await detectDialect(file)
  const survey = await surveyStates(file, dialect, { mapping }).catch(() => undefined)
  if (!survey) return 'stops'
  const found: string[] = []
  for await (const row of readRows(file, dialect)) {
    const person = readPerson(row, file, survey)
    found.push('standing' in person ? person.standing : 'skipped' in person ? 'skip' : person.problem)
  }
  return found
}

describe('whoever is out elsewhere is out here, whatever the column is called', () => {
  test.each([
    ['Email subscriber status', 'Unsubscribed', 'Subscribed', 'left'],
    ['Newsletter status', 'unsubscribed', 'active', 'left'],
    ['newsletter_status', 'Opted out', 'Opted in', 'left'],
    ['Mailing status', 'Unsubscribed', 'Active', 'left'],
    ['Status (weekly)', 'Unsubscribed', 'Active', 'left'],
    ['User status', 'deactivated', 'active', 'left'],
    ['account_status', 'suspended', 'active', 'left'],
    ['status_label', 'Bounced', 'Active', 'bounced'],
    ['Stat\u0443s', 'unsubscribed', 'active', 'left'],
    ['Subscription', 'unsubscribed', 'active', 'left'],
    ['Email marketing', 'unsubscribed', 'subscribed', 'left'],
    ['email_marketing_consent', 'UNSUBSCRIBED', 'SUBSCRIBED', 'left'],
    ['Email Marketing Consent State', 'unsubscribed', 'subscribed', 'left'],
    ['Consent', 'withdrawn', 'given', 'left'],
    ['Permission', 'none', 'express', 'left'],
    ['state', 'Deleted', 'Active', 'left'],
    ['type', 'unactivated', 'regular', 'pending'],
    ['Anything at all', 'Unsubscribed', '', 'left'],
    ['Q7', 'inactive', 'active', 'left'],
    ['Tags', 'vip, unsubscribed', 'vip, press', 'left'],
    ['Statut', 'désabonné', 'abonné', 'left'],
    ['Etat', 'Désinscrite', 'Inscrite', 'left'],
    ['Zustand', 'abgemeldet', 'angemeldet', 'left'],
    ['Status', 'gelöscht', 'aktiv', 'left'],
    ['Status', 'geloescht', 'aktiv', 'left'],
    ['Estado', 'dado de baja', 'suscrito', 'left'],
    ['Stato', 'disiscritto', 'iscritto', 'left'],
    ['Toestand', 'uitgeschreven', 'ingeschreven', 'left'],
    ['Situação', 'descadastrado', 'inscrito', 'left'],
    ['Stan', 'wypisany', 'zapisany', 'left'],
    ['Läge', 'avregistrerad', 'prenumererar', 'left'],
    ['Tilstand', 'afmeldt', 'tilmeldt', 'left'],
    ['Abgemeldet', 'ja', 'nein', 'left'],
    ['Abmeldedatum', '03.02.2025', '', 'left'],
    ['Désabonné', 'oui', 'non', 'left'],
    ['Date de désinscription', '2025-02-03', '', 'left'],
    ['Baja', 'sí', 'no', 'left'],
    ['Disiscritto', 'sì', 'no', 'left'],
    ['Afgemeld op', '2025-02-03', '', 'left'],
    ['Inscrit', 'non', 'oui', 'left'],
    ['Aktiv', 'nein', 'ja', 'left'],
    ['is_subscribed', 'false', 'true', 'left'],
    ['isSubscribed', '0', '1', 'left'],
    ['Subscribed?', 'no', 'yes', 'left'],
    ['email_subscribed', 'no', 'yes', 'left'],
    ['active', 'false', 'true', 'left'],
    ['is_active', '0', '1', 'left'],
    ['enabled', '0', '1', 'left'],
    ['Newsletter', 'no', 'yes', 'left'],
    ['Accepts Email Marketing', 'no', 'yes', 'left'],
    ['opt_in', 'no', '2024-05-06', 'left'],
    ['Marketing emails', 'Unsubscribed', 'Subscribed', 'left'],
    ['Do Not Email', '1', '0', 'left'],
    ['Do Not Email', 'x', '', 'left'],
    ["Don't email", 'yes', 'no', 'left'],
    ['dnc', '1', '0', 'left'],
    ['marketing_opt_out', '1', '0', 'left'],
    ['HasOptedOutOfEmail', 'true', 'false', 'left'],
    ['Opted out of email: Marketing Information', 'true', '', 'left'],
    ['Opt-out date', '2025-02-03', '', 'left'],
    ['opted_out_at', '2025-02-03T10:00:00Z', '', 'left'],
    ['unsubscribed_at_utc', '2025-02-03 10:00', '0000-00-00 00:00:00', 'left'],
    ['Unsubscribed from all email', 'Yes', 'No', 'left'],
    ['Unsubscribe reason', 'too many mails', '', 'left'],
    ['unsubscribed_campaign', 'Weekly 12', '', 'left'],
    ['Lists unsubscribed', 'weekly', '', 'left'],
    ['unsubscribes', '2', '0', 'left'],
    ['IsExcludedFromCampaigns', 'true', 'false', 'left'],
    ['Suppressed', '1', '0', 'left'],
    ['suppressed_at', '2025-02-03', '', 'left'],
    ['Email suppressions', '[UNSUBSCRIBE]', '', 'left'],
    ['blocked_at', '2025-02-03', '', 'left'],
    ['removed_at', '2025-02-03', '', 'left'],
    ['deactivated_at', '2025-02-03', '', 'left'],
    ['cancelled_at', '2025-02-03', '', 'left'],
    ['canceled', 'yes', 'no', 'left'],
    ['On Hold', '1', '0', 'left'],
    ['hard_bounced', '1', '0', 'bounced'],
    ['hard_bounce_count', '3', '0', 'bounced'],
    ['bounced_at', '2025-02-03', '', 'bounced'],
    ['email_invalid', '1', '0', 'bounced'],
    ['Email valid', 'no', 'yes', 'bounced'],
    ['Bounce reason', 'no such user', '', 'bounced'],
    ['spam_complaint_at', '2025-02-03', '', 'complained'],
    ['Spam reported', '1', '0', 'complained'],
    ['Marked as spam', 'true', 'false', 'complained'],
    ['email_verified', 'no', 'yes', 'pending'],
  ])('%s: %j is out, %j is not', async (heading, out, stays, standing) => {
    expect(await standings(heading, [out, stays])).toEqual([standing, 'active'])
  })
})

test.each([
  ['type', ['regular', 'regular']],
  ['state', ['OR', 'active']],
  ['active_members_count', ['12', '0']],
  ['subscription_date', ['2024-01-02', '']],
  ['subscribed_at', ['2024-01-02', '']],
  ['last_active', ['2024-01-02', '']],
  ['signup source', ['Unsubscribe page', 'web']],
  ['optin_ip', ['192.0.2.1', '']],
  ['Opt-in source', ['shop', '']],
  ['consent_text', ['I agree to get the newsletter.', '']],
  ['consent date', ['2024-01-02', '']],
  ['company', ['Unsubscribed Records Ltd', 'Bounced']],
  ['last name', ['Left', 'Free']],
  ['city', ['Active', 'Spam']],
  ['Street address', ['12 Blocked Lane', '3 High Street']],
  ['job title', ['Disabled', 'Active']],
  ['order status', ['cancelled', 'pending']],
  ['payment_status', ['cancelled', 'active']],
  ['Marital status', ['single', 'left']],
  ['Accepts SMS Marketing', ['no', 'yes']],
  ['sms_opt_out', ['1', '0']],
  ['Do not call', ['yes', 'no']],
  ['whatsapp consent', ['no', '']],
  ['cookie consent', ['no', 'yes']],
  ['unsubscribe_url', ['https://a.example/u/1', 'https://a.example/u/2']],
  ['unsubscribe token', ['Xa1', 'Xa2']],
  ['spam_score', ['4', '0']],
  ['soft_bounces', ['2', '0']],
  ['bounce type', ['soft', '']],
  ['bounce_count', ['0', '0']],
  ['subscription plan', ['gold', 'free']],
  ['subscription_id', ['17', '18']],
  ['subscription end date', ['2027-01-01', '']],
  ['subscriber since', ['2020', '']],
  ['Subscriber', ['Mira Kaya', 'Ann Lee']],
  ['Newsletter', ['Weekly', 'Daily']],
  ['Newsletter name', ['Weekly', 'Left']],
  ['double_optin', ['false', 'true']],
  ['2fa enabled', ['no', 'yes']],
  ['notifications_enabled', ['false', 'true']],
  ['block', ['12', '1']],
  ['interactive', ['no', 'yes']],
  ['adoption', ['no', 'yes']],
  ['options', ['no', '']],
  ['notes', ['She unsubscribed her brother.', 'spam? no']],
  ['VIP', ['no', 'yes']],
  ['group', ['A', 'inactive']],
  ['member_rating', ['2', '5']],
])('a harmless column stops nothing and keeps nobody out: %s', async (heading, values) => {
  expect(await standings(heading, values)).toEqual(['active', 'active'])
})

test.each([
  ['Unsubscribed', 'perhaps'],
  ['unsubscribed_at', 'last week'],
  ['Consent', 'see file'],
  ['Email Consent', ''],
  ['is_active', '7'],
  ['Newsletter status', 'dormant'],
  ['suppressed', 'partly'],
  ['Abgemeldet', 'vielleicht'],
  ['bounce_count', '5'],
  ['cancelled', 'soon'],
  ['Do not email', 'ask first'],
])('an import stops at what it does not know: %s: %j', async (heading, value) => {
  expect(await standings(heading, [value])).toBe('stops')
})

test('a column is one of states once one value keeps somebody out: the others have to be known too', async () => {
  expect(await standings('User status', ['VIP', 'active'])).toEqual(['active', 'active'])
  expect(await standings('User status', ['VIP', 'unsubscribed'])).toBe('stops')
  const mapping = new Map<string, Meaning>([['vip', 'active']])
  expect(await standings('User status', ['VIP', 'unsubscribed'], mapping)).toEqual(['active', 'left'])
})

test('in a column about something else a word that can only mean this keeps out all the same', async () => {
  expect(await standings('Order status', ['shipped', 'Unsubscribed'])).toEqual(['active', 'left'])
})

test('a number of bounces is mapped at once', async () => {
  const mapping = new Map<string, Meaning>([['bounce_count: more than 0', 'bounced']])
  expect(await standings('bounce_count', ['5', '0', '17'], mapping)).toEqual(['bounced', 'active', 'bounced'])
})
