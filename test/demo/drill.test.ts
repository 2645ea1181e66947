import { expect, test } from 'vitest'
import { drill } from '../../src/demo/drill.ts'

const minutes = 5 * 60_000

test(
  'a drill with kills and a faulty sink loses nobody, and explains every duplicate',
  async () => {
    // two tries at most are lost to the sink, and three to kills: nobody's six run out
    const report = await drill({ recipients: 200, kills: 3, unknown: 'repeat', faults: true, tls: false })
    expect(report).toMatchObject({ recipients: 200, accepted: 200, lost: 0, unknown: 0, kills: 3 })
    expect(report.duplicatesExplained).toBe(report.duplicates)
    expect(report.mostAtOneKill).toBeLessThanOrEqual(report.connections)
  },
  minutes,
)

test(
  'a drill under the rule `hold` sends nobody two copies, and has all its kills even if they leave people without a copy',
  async () => {
    const report = await drill({ recipients: 40, kills: 7, unknown: 'hold', faults: false, tls: false })
    expect(report).toMatchObject({ lost: 0, duplicates: 0, kills: 7 })
    expect(report.unknown).toBeLessThanOrEqual(7 * report.connections)
    expect(report.accepted + report.unknown).toBeGreaterThanOrEqual(40)
  },
  minutes,
)

test(
  'a drill over STARTTLS, to a sink that replies at once, sends nobody two copies',
  async () => {
    const report = await drill({ recipients: 400, kills: 0, unknown: 'repeat', faults: false, tls: true })
    expect(report).toMatchObject({ accepted: 400, lost: 0, duplicates: 0, unknown: 0 })
  },
  minutes,
)

test(
  'a drill over STARTTLS with kills and a faulty sink loses nobody, and explains every duplicate',
  async () => {
    const report = await drill({ recipients: 150, kills: 2, unknown: 'repeat', faults: true, tls: true })
    expect(report).toMatchObject({ accepted: 150, lost: 0, unknown: 0, kills: 2 })
    expect(report.duplicatesExplained).toBe(report.duplicates)
    expect(report.mostAtOneKill).toBeLessThanOrEqual(report.connections)
  },
  minutes,
)
