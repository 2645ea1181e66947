import type { Config } from '../config/config.ts'
import {
  type Imprint,
  imprintProblems,
  type LaunchProblem,
  launchProblems,
  sendsOnlyToThisMachine,
} from '../config/launch-check.ts'
import { describeSentence } from '../describe/describe.ts'
import { AppError } from '../errors.ts'
import { countChosen } from '../store/editions/choices.ts'
import { newerSentEdition } from '../store/editions/editions.ts'
import { variantsOf } from '../store/editions/variants.ts'
import type { ReasonOf } from '../store/events/reason.ts'
import type { Db, EditionRow, VariantRow } from '../store/schema.ts'
import type { Digest } from './digest.ts'
import { htmlBytes, isTooLarge } from './size.ts'

/**
 * What stands in the way of letting an edition go out. `setting`: a setting of today must be changed first; `sealed`: the
 * bytes were made with such a setting, and the edition has to be sealed again; `newer-sent`: the edition of that number,
 * which was due later, is out already; `too-large`: the bytes of the HTML.
 */
export type Obstacle = {
  [Code in ObstacleCode]: ReasonOf<Code>
}[ObstacleCode]

type ObstacleCode = 'no-articles' | 'empty-subject' | 'too-large' | 'newer-sent' | 'setting' | 'sealed'

/** What is known of an edition that somebody wants to approve. */
export type ApprovalFacts = {
  articles: number
  subject: string
  /** Of the HTML as sent; 0 before the seal. */
  bytes: number
  newer: Pick<EditionRow, 'number'> | undefined
  /** Of the settings of today, and of those that the sealed bytes were made with and that are mended since. */
  settings: LaunchProblem[]
  sealed: LaunchProblem[]
}

/** The obstacles that an editor must know of, the gravest first. A letter or a correction alone is no article. */
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

/** True for what is not about the edition: it goes on by itself once the setting is changed. */
export function isSettingObstacle({ code }: Obstacle): boolean {
  return code === 'setting' || code === 'sealed'
}

/** An approval that was stopped; `obstacles` say by what. */
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

/** The obstacles of an edition as it is now. */
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

/** Those of `obstaclesOf` that are about settings: what is asked every few seconds while an edition is open. */
export async function settingObstaclesOf(needs: ObstacleNeeds, edition: EditionRow): Promise<Obstacle[]> {
  if (sendsOnlyToThisMachine(needs.config)) return []
  const [variant] = await variantsOf(needs.db, edition.id)
  return settingObstaclesFrom(settingFacts(needs, edition, variant))
}

/** Settings do not matter where no relay reaches beyond this machine. */
function settingFacts(
  { config, digests }: ObstacleNeeds,
  edition: EditionRow,
  variant: VariantRow | undefined,
): SettingFacts {
  const digest = digests.find(({ name }) => name === edition.digest)
  if (!digest || sendsOnlyToThisMachine(config)) return { settings: [], sealed: [] }
  return { settings: launchProblems(config, digest), sealed: variant ? resolvedProblems(config, digest, variant) : [] }
}

/**
 * The settings that the sealed bytes were made with, that must not go out, and that are right by now: bytes that were
 * sealed today would not have these problems.
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

/** Of the headers, what the sealed bytes keep (`messages/mime.ts`). */
type SealedHead = { webUrl: string; publication: { site: string }; replyTo: string; from: { address: string } }
