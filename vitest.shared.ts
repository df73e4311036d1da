import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

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

/** The one test configuration: a package calls it, and adds what differs. */
export function testConfig(overrides: NonNullable<ViteUserConfig['test']> = {}) {
  return defineConfig({
    resolve: { alias: sourceAliases() },
    test: {
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      reporters: ['default', ['json', { outputFile: '.vitest/report.json' }]],
      // A run that finds no test is a broken set-up, never a success.
      passWithNoTests: false,
      testTimeout: 30_000,
      ...overrides,
    },
  });
}
