import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import type { Reporter, TestCase, TestSuite } from 'vitest/node';

const packagesFolder = fileURLToPath(new URL('./packages/', import.meta.url));

/**
 * Maps every `@lmd/*` import to its source, read from the packages' own `exports`, so that tests never run a stale
 * build.
 */
function sourceAliases(): { find: RegExp; replacement: string }[] {
  return readdirSync(packagesFolder).flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(`${packagesFolder}${folder}/package.json`, 'utf8'));
    return Object.entries<{ default?: string }>(manifest.exports)
      .filter(([, target]) => target.default !== undefined)
      .map(([subpath, target]) => ({
        find: new RegExp(`^${manifest.name}${subpath.slice(1)}$`),
        replacement: `${packagesFolder}${folder}/${target.default?.replace('./dist/', 'src/').replace(/\.js$/, '.ts')}`,
      }));
  });
}

/** Writes which tests were skipped, and why, which the JSON reporter leaves out. `npm test` prints it. */
const skippedReporter: Reporter = {
  onTestRunEnd(modules) {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => {
        const result = test.result();
        let skipped: TestCase | TestSuite = test;
        while (skipped.parent.type === 'suite' && skipped.parent.options.mode === 'skip') skipped = skipped.parent;
        const reason = (result.state === 'skipped' ? result.note : undefined) ?? skipped.fullName;
        return { file: module.moduleId, reason };
      }),
    );
    mkdirSync('.vitest', { recursive: true });
    writeFileSync('.vitest/skipped.json', JSON.stringify(skipped));
  },
};

/** The one test configuration: a package calls it, and adds what differs. */
export function testConfig(overrides: NonNullable<ViteUserConfig['test']> = {}) {
  return defineConfig({
    resolve: { alias: sourceAliases() },
    test: {
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      reporters: ['default', ['json', { outputFile: '.vitest/report.json' }], skippedReporter],
      // A run that finds no test is a broken set-up, never a success.
      passWithNoTests: false,
      // `npm test` runs several packages at a time. By default, on two cores, the last one would use one of them.
      maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
      // These end what hangs. A busy machine runs a test many times slower, which is no failure.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      ...overrides,
    },
  });
}
