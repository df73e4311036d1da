import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { JsonReporter, type SerializedError, type TestCase, type TestModule, type TestSuite } from 'vitest/node';

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

/**
 * Vitest's JSON report with what it leaves out: `skipped`, which tests and why, and `errors`, which belong to no test,
 * such as those of hooks and of timers. `npm test` prints the first and counts the second as failures.
 */
class Report extends JsonReporter {
  private errors: { where: string; message: string }[] = [];
  private skipped: { file: string; reason: string }[] = [];

  override async onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[] = []) {
    this.skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => {
        const result = test.result();
        let skipped: TestCase | TestSuite = test;
        while (skipped.parent.type === 'suite' && skipped.parent.options.mode === 'skip') skipped = skipped.parent;
        const reason = (result.state === 'skipped' ? result.note : undefined) ?? skipped.fullName;
        return { file: module.moduleId, reason };
      }),
    );
    // Of a module without tests, which could not be loaded, the report has the error.
    const loaded = modules.filter((module) => module.children.size > 0);
    this.errors = [
      ...loaded.flatMap((module) =>
        [module, ...module.children.allSuites()].flatMap((suite) =>
          suite.errors().map(({ message }) => ({ where: module.moduleId, message })),
        ),
      ),
      ...unhandledErrors.map(({ message, stack }) => ({ where: '', message: stack ?? message })),
    ];
    await super.onTestRunEnd(modules);
  }

  override writeReport(report: string) {
    return super.writeReport(JSON.stringify({ ...JSON.parse(report), errors: this.errors, skipped: this.skipped }));
  }
}

/** Prints the tests, and writes the report to `.vitest/` in the folder of the package. */
export const reportersTo = (name: string) => ['default', new Report({ outputFile: `.vitest/${name}` })];

/** The one test configuration: a package calls it, and adds what differs. */
export function testConfig(overrides: NonNullable<ViteUserConfig['test']> = {}) {
  return defineConfig({
    resolve: { alias: sourceAliases() },
    test: {
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      reporters: reportersTo('report.json'),
      // A run that finds no test is a broken set-up, never a success.
      passWithNoTests: false,
      // `npm test` runs several packages at a time. By default, on two cores, the last one would use one of them.
      maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
      // Short-lived arrays fill the default of 16 MiB so fast that collecting them takes a tenth of the time.
      execArgv: ['--max-semi-space-size=64'],
      // These end what hangs. A busy machine runs a test many times slower, which is no failure.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      ...overrides,
    },
  });
}
