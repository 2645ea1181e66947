import { expect, test } from 'vitest'
import { combinedResult } from '../../../src/deliveries/relays/combined-result.ts'
import type { SendResult } from '../../../src/mail/smtp/result.ts'

type Kind = Exclude<SendResult['kind'], 'unfit'>

test.each<[string, Kind[], Kind]>([
  ['a refusal by the main relay decides', ['refused', 'deferred'], 'refused'],
  ['a main relay that is away may take it later, whatever the standby refuses', ['unsent', 'refused'], 'unsent'],
  ['a temporary refusal counts more than a lasting one of the standby', ['deferred', 'refused'], 'deferred'],
  ['a lost answer counts most', ['deferred', 'unknown'], 'unknown'],
])('%s', (_, kinds, expected) => {
  expect(combinedResult(kinds.map((kind) => ({ kind, reply: '' }))).kind).toBe(expected)
})
