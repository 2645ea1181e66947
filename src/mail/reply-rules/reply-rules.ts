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
 * The first rule that matches decides. Rules about us come before the codes for unknown users, since servers also use
 * those codes for limits, blocks and full mailboxes, and a person who is wrongly suppressed never learns of it.
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
