import { describe, expect, test } from 'vitest'
import {
  isDeferredByPolicy,
  isGreylisting,
  isServerState,
  retryAfterMs,
} from '../../../src/mail/reply-rules/deferrals.ts'
import { hour, minute, second } from '../../../src/time/clock.ts'

describe('the time to come back', () => {
  test.each([
    ['451 4.7.1 Greylisted, please come back in 00:04:59', 4 * minute + 59 * second],
    ['450 4.2.0 Greylisting in action, try again in 05:00', 5 * minute],
    ['451 4.7.1 Try again in 300 seconds.', 5 * minute],
    ['450 first contact, retry after 4 minutes and 30 seconds', 4.5 * minute],
    ['450 4.7.1 Graylisted for 90s', 90 * second],
    ['451 wait at least 2 hours', 2 * hour],
    ['451 please resend in one hour', hour],
    ['451 4.7.1 Bitte versuchen Sie es in 10 Minuten erneut', 10 * minute],
    ['451 4.7.1 Veuillez réessayer dans 15 minutes', 15 * minute],
    ['451 4.7.1 请5分钟后重试', 5 * minute],
    ['451 4.7.1 try again in 1 hour, 5 minutes', hour + 5 * minute],
  ])('in "%s" is %i ms', (reply, wait) => {
    expect(retryAfterMs(reply)).toBe(wait)
  })

  test('is never less than a minute, and never more than twelve hours', () => {
    expect(retryAfterMs('451 try again in 5 seconds')).toBe(minute)
    expect(retryAfterMs('451 try again in 0 s')).toBe(minute)
    expect(retryAfterMs('451 try again in 999999 hours')).toBe(12 * hour)
  })

  test.each([
    '451 4.7.1 Greylisted, please try again later',
    '451 4.7.0 more than 100 messages in 60 seconds',
    '451 try again: 5 messages wait',
    '421 4.4.2 timeout exceeded after 300 seconds',
    '450 4.7.1 try again. Your address was last seen 3 hours ago',
    '451 4.7.1 try again, 192.0.2.1 is new to us',
    '450 try again in a few minutes',
  ])('is not in "%s"', (reply) => {
    expect(retryAfterMs(reply)).toBeUndefined()
  })

  test('is looked for in an answer of any length at once', () => {
    for (const piece of ['try again ', 'wait 1 minute and ', 'greylisted 5 ', 'in 1:1', '1 s 1 m '])
      expect(['number', 'undefined']).toContain(typeof retryAfterMs(`451 ${piece.repeat(1000)}`))
  })
})

const greylisted = [
  '450 4.2.0 <ann@example.org>: Recipient address rejected: Greylisted',
  '451 4.7.1 Graylisting in action',
  '451 4.7.1 grey listed, come back',
  '421 4.7.0 greylisted, please try again in 5 minutes',
  '450 4.7.1 temporarily deferred: first time sender',
  '451 4.7.1 Please try again in 60 seconds',
  '450 4.3.2 Greylisting is at work, try again',
]
const states = [
  '421 4.3.2 Service shutting down',
  '451 4.3.0 Temporary lookup failure',
  '452 4.3.1 Insufficient system storage',
  '452 Insufficient system resources',
  '421 mx.example.org is going down for maintenance',
  '450 4.3.2 system not accepting network messages',
]
const policies = [
  '421 4.7.0 Too many messages from your network, try again in 10 minutes',
  '421 too fast',
  '451 4.7.500 Server busy',
  '450 4.7.1 rate limited, try again in 60 seconds',
  '451 4.7.1 too many messages from you, retry in 5 min',
  '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints',
  '450 blocked using a block list',
  '451 4.3.2 too many messages, slow down',
  '421 4.3.2 rate limit',
]
const others = [
  '452 4.2.2 mailbox full',
  '450-4.2.1 the user gets mail too quickly',
  '451 come back',
  '550 5.1.1 greylisted',
  '250 2.0.0 try again in 60 seconds',
  '550 5.3.0 shutting down',
]

test.each([
  ['is greylisting', greylisted, [true, false]],
  ['is the state of the server', states, [false, false]],
  ['is about us', policies, [false, true]],
  ['is none of these', others, [false, false]],
])('a 4xx that %s is told from the others', (what, replies, [grey, policy]) => {
  for (const reply of replies) {
    expect([reply, isGreylisting(reply), isDeferredByPolicy(reply)]).toEqual([reply, grey, policy])
    if (what !== 'is greylisting') expect([reply, isServerState(reply)]).toEqual([reply, replies === states])
  }
})
