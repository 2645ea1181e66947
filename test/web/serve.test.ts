import { afterAll, beforeAll, expect, test } from 'vitest'
import { serve } from '../../src/web/server.ts'
import { openSite, type Site } from './site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

const on = (port: number, host = '127.0.0.1') => ({
  ...site.app,
  config: { ...site.app.config, web: { ...site.app.config.web, port, host } },
})

test('serves the pages over HTTP, and stops when asked to', async () => {
  const serving = await serve(on(0))
  expect(serving.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const answer = await fetch(`${serving.url}/leave/${site.key}`, {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
  })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('You have left')])
  const large = await fetch(`${serving.url}/preferences/${site.key}`, { method: 'POST', body: 'x'.repeat(100_000) })
  expect(large.status).toBe(413)
  await serving.close()
  await expect(fetch(serving.url)).rejects.toThrow()
})

test('a port that is taken is an error that says which, and what to do', async () => {
  const first = await serve(on(0))
  const port = Number(new URL(first.url).port)
  await expect(serve(on(port))).rejects.toMatchObject({
    code: 'unavailable',
    message: `port ${port} of 127.0.0.1 is taken`,
    hint: expect.stringContaining('web.port'),
  })
  await first.close()
})

test('an interface that this machine does not have is an error that says so', async () => {
  await expect(serve(on(0, '203.0.113.1'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('cannot listen'),
    hint: expect.stringContaining('web.host'),
  })
})
