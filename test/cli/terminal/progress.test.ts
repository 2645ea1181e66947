import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { progressLine, showProgress } from '../../../src/cli/terminal/progress.ts'
import type { DeliveryCounts } from '../../../src/store/deliveries/deliveries.ts'

function counts(given: Partial<DeliveryCounts>): DeliveryCounts {
  return { queued: 0, sending: 0, accepted: 0, deferred: 0, refused: 0, unknown: 0, skipped: 0, ...given }
}

/** What is written to a screen of so many columns, or, without columns, to a file. */
function screen(columns?: number) {
  const stream = Object.assign(new PassThrough(), { isTTY: columns !== undefined, columns })
  return { stream: stream as unknown as NodeJS.WriteStream, written: () => String(stream.read() ?? '') }
}

describe('a line of progress', () => {
  test('says how many of how many, how fast, and how long yet', () => {
    expect(progressLine(counts({ accepted: 150, queued: 45, sending: 5 }), 0, 10_000, undefined)).toBe(
      'sending: 150 of 200 · 15/s, 3 s left',
    )
  })

  test('counts the rate from where this process began, not from what was out before', () => {
    expect(progressLine(counts({ accepted: 1100, queued: 100 }), 1000, 10_000, undefined)).toBe(
      'sending: 1100 of 1200 · 10/s, 10 s left',
    )
  })

  test('names what went wrong, and only that', () => {
    const line = progressLine(
      counts({ accepted: 1, refused: 2, deferred: 3, unknown: 4, skipped: 5 }),
      0,
      1000,
      undefined,
    )
    expect(line).toBe('sending: 15 of 15 · 15/s · 2 refused · 3 deferred · 4 unknown · 5 skipped')
  })

  test.each([0, -5])('of the first moment (%i ms) promises no time and divides by nothing', (elapsed) => {
    expect(progressLine(counts({ queued: 10 }), 0, elapsed, undefined)).toBe('sending: 0 of 10 · 0/s')
  })

  test('of an edition that nobody gets is whole', () => {
    expect(progressLine(counts({}), 0, 1000, 80)).toBe(`[${'█'.repeat(40)}] 0 of 0 · 0/s`)
  })
})

describe('a bar', () => {
  test.each([
    [0, 0],
    [50, 20],
    [100, 40],
  ])('with %i of 100 done is filled by %i of 40', (done, filled) => {
    const line = progressLine(counts({ accepted: done, queued: 100 - done }), done, 1000, 120)
    expect(line).toMatch(new RegExp(`^\\[█{${filled}}░{${40 - filled}}\\] ${done} of 100`))
  })

  test('never reaches the edge of the terminal, however narrow: a line that wraps cannot be drawn over', () => {
    for (let columns = 2; columns < 140; columns++)
      for (const given of [
        counts({ accepted: 5, queued: 5 }),
        counts({ accepted: 99_999, refused: 888, deferred: 77, unknown: 6, skipped: 5, queued: 100_000 }),
      ])
        expect(progressLine(given, 0, 60_000, columns).length, `${columns} columns`).toBeLessThan(columns)
  })

  test('is drawn and not broken by counts that do not add up', () => {
    expect(progressLine(counts({ accepted: 3, queued: -1 }), 0, 1000, 80)).toContain('█'.repeat(40))
  })
})

describe('shown on a terminal', () => {
  test('it draws over itself, and its end is the last state and a new line', () => {
    const { stream, written } = screen(60)
    const progress = showProgress(stream)
    progress.update(counts({ accepted: 0, queued: 2 }))
    progress.update(counts({ accepted: 2 }))
    progress.end()
    const drawn = written()
    expect(drawn.split('\r\u001b[2K').at(-1)).toMatch(/^\[█+\] 2 of 2.*\n$/)
    expect(drawn.split('\n')).toHaveLength(2)
  })

  test('that does not know its width it still shows', () => {
    const { stream, written } = screen(0)
    const progress = showProgress(stream)
    progress.update(counts({ accepted: 2 }))
    progress.end()
    expect(written()).toMatch(/█{40}\] 2 of 2/)
  })

  test('without anything to show it leaves no empty line', () => {
    const { stream, written } = screen(80)
    showProgress(stream).end()
    expect(written()).toBe('')
  })
})

test('written to a file it is plain lines: no bar, no escape, and the last state for sure', () => {
  const { stream, written } = screen()
  const progress = showProgress(stream)
  progress.update(counts({ queued: 2 }))
  progress.update(counts({ accepted: 1, refused: 1 }))
  progress.end()
  const text = written()
  expect(text).toMatch(/sending: 2 of 2 · \d+\/s · 1 refused\n$/)
  for (const mark of ['\r', '\u001b', '█', '[']) expect(text).not.toContain(mark)
})

test('counts that its owner goes on changing are shown as they are then', () => {
  const { stream, written } = screen()
  const progress = showProgress(stream)
  const ours = counts({ queued: 2 })
  progress.update(ours)
  ours.queued = 0
  ours.accepted = 2
  progress.end()
  expect(written()).toContain('2 of 2')
})
