import { expect, test } from 'vitest'
import { toMessageTemplate } from '../../src/messages/message-template.ts'

test('an edition that was sealed with a slash at the end of web.url has the same links as without', () => {
  for (const webUrl of ['https://harbour.example/news', 'https://harbour.example/news/']) {
    const variant = { head: JSON.stringify({ webUrl }), subject: '', html: '', text: '', slot: 'k'.repeat(48) }
    const template = toMessageTemplate('a secret', { id: '0190b7c0-0000-7000-8000-000000000031' }, variant)
    expect(template.webUrl).toBe('https://harbour.example/news')
  }
})
