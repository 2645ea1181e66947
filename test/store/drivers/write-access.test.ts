import { expect, test } from 'vitest'
import { writeAccessText } from '../../../src/store/drivers/write-access.ts'

test('a database of another user names both users, and the command that changes it', () => {
  expect(writeAccessText('data/lastword.db', { owner: 'root', user: 'lastword' })).toBe(
    'The user that runs lastword needs to write to data and to data/lastword.db. They belong to root, and lastword runs as lastword: type sudo chown lastword data data/lastword.db*',
  )
})

test('one of our own says what is needed, and no more', () => {
  expect(writeAccessText('data/lastword.db')).toBe(
    'The user that runs lastword needs to write to data and to data/lastword.db.',
  )
})
