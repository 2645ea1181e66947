import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/databases/global-setup.ts'],
    pool: 'forks',
    // Most tests wait for a server, a browser or a child: with one worker a core the cores would be idle half the time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    // No test measures time by these: they end one that hangs, also on a machine that does ten other things.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    restoreMocks: true,
  },
})
