import type { Config } from '../../config/config.ts'
import {
  type Imprint,
  imprintProblems,
  type LaunchProblem,
  launchProblems,
  sendsOnlyToCatchers,
} from '../../config/launch-check.ts'
import { describeSentence } from '../../describe/describe.ts'
import { AppError } from '../../errors.ts'
import { countChosen } from '../../store/editions/choices.ts'
import { newerSentEdition } from '../../store/editions/editions.ts'
import { variantsOf } from '../../store/editions/variants.ts'
import type { ReasonOf } from '../../store/events/reason.ts'
import type { Db, EditionRow, VariantRow } from '../../store/schema.ts'
import type { Digest } from '../digest.ts'
import { htmlBytes, isTooLarge } from '../size.ts'

/**
 * A reason not to send an edition. `setting`: a current setting must be changed first; `sealed`: the email was sealed
 * with such a setting, and must be sealed again; `newer-sent`: a later edition, with that number, was sent already;
 * `too-large`: the HTML in bytes.
 */
export type Obstacle = {
  [Code in ObstacleCode]: ReasonOf<Code>
}[ObstacleCode]

type ObstacleCode = 'no-articles' | 'empty-subject' | 'too-large' | 'newer-sent' | 'setting' | 'sealed'

/** What `approvalObstacles` needs to know about an edition. */
export type ApprovalFacts = {
  articles: number
  subject: string
  /** Size of the HTML as sent; 0 before the seal. */
  bytes: number
  newer: Pick<EditionRow, 'number'> | undefined
  /**
   * `settings`: problems of the current settings; `sealed`: problems of the sealed email that the current settings no
   * longer have.
   */
  settings: LaunchProblem[]
  sealed: LaunchProblem[]
}

/** The obstacles of an edition, the most serious first. Letters and corrections do not count as articles. */
export function approvalObstacles({ articles, subject, bytes, newer, settings, sealed }: ApprovalFacts): Obstacle[] {
  return [
    ...settingObstaclesFrom({ settings, sealed }),
    ...(articles === 0 ? [{ code: 'no-articles' as const }] : []),
    ...(subject.trim() === '' ? [{ code: 'empty-subject' as const }] : []),
    ...(isTooLarge(bytes) ? [{ code: 'too-large' as const, bytes }] : []),
    ...(newer ? [{ code: 'newer-sent' as const, number: newer.number }] : []),
  ]
}

type SettingFacts = Pick<ApprovalFacts, 'settings' | 'sealed'>

function settingObstaclesFrom({ settings, sealed }: SettingFacts): Obstacle[] {
  return [
    ...settings.map((problem) => ({ code: 'setting' as const, ...problem })),
    ...sealed.map((problem) => ({ code: 'sealed' as const, ...problem })),
  ]
}

/** True for obstacles that a change of settings removes; the edition then continues automatically. */
export function isSettingObstacle({ code }: Obstacle): boolean {
  return code === 'setting' || code === 'sealed'
}

/** An approval was refused because of `obstacles`: AppError `conflict`. */
export class ApprovalRefused extends AppError {
  readonly obstacles: Obstacle[]

  constructor(edition: string, obstacles: Obstacle[]) {
    super('conflict', `${edition} was not approved. ${obstacles.map(describeSentence).join(' ')}`)
    this.name = 'ApprovalRefused'
    this.obstacles = obstacles
  }
}

export type ObstacleNeeds = {
  db: Db
  config: Pick<Config, 'publication' | 'web' | 'relay' | 'relays'>
  digests: Digest[]
}

/** Loads the current obstacles of an edition. */
export async function obstaclesOf(needs: ObstacleNeeds, edition: EditionRow): Promise<Obstacle[]> {
  const { db } = needs
  const [variant] = await variantsOf(db, edition.id)
  return approvalObstacles({
    articles: (await countChosen(db, [edition.id])).get(edition.id)?.article ?? 0,
    subject: edition.subject,
    bytes: variant ? htmlBytes(variant) : 0,
    newer: await newerSentEdition(db, edition),
    ...settingFacts(needs, edition, variant),
  })
}

/** The obstacles of `obstaclesOf` that concern settings; an open edition is checked every few seconds. */
export async function settingObstaclesOf(needs: ObstacleNeeds, edition: EditionRow): Promise<Obstacle[]> {
  if (sendsOnlyToCatchers(needs.config)) return []
  const [variant] = await variantsOf(needs.db, edition.id)
  return settingObstaclesFrom(settingFacts(needs, edition, variant))
}

/** No problems if every relay is a mail catcher. */
function settingFacts(
  { config, digests }: ObstacleNeeds,
  edition: EditionRow,
  variant: VariantRow | undefined,
): SettingFacts {
  const digest = digests.find(({ name }) => name === edition.digest)
  if (!digest || sendsOnlyToCatchers(config)) return { settings: [], sealed: [] }
  return { settings: launchProblems(config, digest), sealed: variant ? resolvedProblems(config, digest, variant) : [] }
}

/**
 * The problems of the settings that an edition was sealed with, where the current settings do not have the same
 * problem.
 */
export function resolvedProblems(
  { publication, web }: Pick<Config, 'publication' | 'web'>,
  digest: Pick<Digest, 'from' | 'replyTo'>,
  { head, text }: Pick<VariantRow, 'head' | 'text'>,
): LaunchProblem[] {
  const sealed = JSON.parse(head) as SealedHead
  const toImprint = ({ webUrl, publication: { site }, replyTo, from }: SealedHead, address: string): Imprint => ({
    ...{ webUrl, site, contact: replyTo, from: from.address },
    address,
  })
  const replyTo = digest.replyTo ?? publication.contact
  const current = { webUrl: web.url, publication, replyTo, from: digest.from }
  const currentProblems = imprintProblems(toImprint(current, publication.address))
  const isResolved = ({ setting }: LaunchProblem) => !currentProblems.some((one) => one.setting === setting)
  return imprintProblems(toImprint(sealed, text))
    .filter(isResolved)
    .map((one) => (one.setting === 'publication.address' ? { ...one, value: 'that of the sample' } : one))
}

/** The part of the sealed headers (`messages/mime.ts`) that is checked here. */
type SealedHead = { webUrl: string; publication: { site: string }; replyTo: string; from: { address: string } }
