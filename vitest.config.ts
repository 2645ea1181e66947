import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/databases/global-setup.ts'],
    pool: 'forks',
    // Most tests wait for a server, a browser or a child: with one worker a core the cores would be idle half the time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
})
