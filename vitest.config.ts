import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgres.ts'],
    pool: 'forks',
    maxWorkers: '100%', // most tests wait for a server or a child: a core left over would be idle
    testTimeout: 60_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
})
