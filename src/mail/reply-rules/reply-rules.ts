import type { ReplyRule } from './reply-pattern.ts'
import {
  addressCodeRules,
  addressWordRules,
  capacityRules,
  doubtfulCodeRules,
  doubtfulWordRules,
} from './reply-rules-address.ts'
import {
  accessRules,
  messageRules,
  policyMarkRules,
  policyWordRules,
  reputationRules,
  senderRules,
} from './reply-rules-us.ts'

/**
 * The first that matches decides. What is about us comes before the codes of unknown users, because servers put those
 * beside limits, blocks and full mailboxes too; and a person who is wrongly suppressed never hears of it.
 */
export const replyRules: ReplyRule[] = [
  ...senderRules,
  ...accessRules,
  ...capacityRules,
  ...reputationRules,
  ...messageRules,
  ...addressCodeRules,
  ...addressWordRules,
  ...policyMarkRules,
  ...doubtfulWordRules,
  ...policyWordRules,
  ...doubtfulCodeRules,
]
