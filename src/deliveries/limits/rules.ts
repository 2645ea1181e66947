import { type Config, relayName, relaysOf } from '../../config/config.ts'
import type { Digest } from '../../editions/digest.ts'
import type { AudiencePlan } from '../../store/deliveries/audience.ts'
import type { Engine } from '../../store/engine.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'
import { planCanaries } from './canary.ts'
import { planZoneSends } from './local-time.ts'
import type { Providers } from './providers.ts'
import type { WarmUp } from './warm-up.ts'

/**
 * The limits on when a message may be sent: the digest's rules, and the warm-up and relay quotas of the installation.
 */
export type Rules = Pick<Digest, 'zone' | 'schedule' | 'window' | 'canary' | 'localTime' | 'lead'> & {
  warmUp?: WarmUp | undefined
  /** Each relay's daily quota; undefined: no limit. */
  relays: { name: string; perDay: number | undefined }[]
}

/** The rules of a digest; undefined while its job file is missing. */
export function rulesOf({ digests, config }: { digests: Digest[]; config: Config }, name: string): Rules | undefined {
  const digest = digests.find((one) => one.name === name)
  const relays = relaysOf(config).map((relay) => ({ name: relayName(relay), perDay: relay.perDay }))
  return digest && { ...digest, warmUp: config.pace.warmUp, relays }
}

type Needs = { db: Db; engine: Engine; clock: Clock; providers: Providers; rules: Rules | undefined }

/** Stores which part of the audience is sent to later, before the audience is frozen. Safe to repeat. */
export async function shapeOf(needs: Needs, edition: EditionRow): Promise<AudiencePlan> {
  const { db, engine, clock, rules } = needs
  if (!rules) return {}
  const isByZone = await planZoneSends(db, edition, rules, clock.now())
  const canaries = rules.canary ? await planCanaries(needs, edition, rules.canary) : 0
  return { ...(isByZone && { byZone: { otherwise: edition.dueAt } }), ...(canaries > 0 && { canaries: engine }) }
}
