import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { countReport } from '../scripts/reports.mjs';

// In this repository, since the tests in it import vitest.
const folder = fileURLToPath(new URL('../.vitest/report-probe', import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** Runs vitest on one file with these lines, and counts its report as `npm test` does. */
function countOf(lines: string[]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'src'), { recursive: true });
  const config = "import { testConfig } from '../../vitest.shared.ts';\nexport default testConfig();\n";
  writeFileSync(join(folder, 'vitest.config.ts'), config);
  const imports = "import { afterAll, beforeAll, describe, expect, it } from 'vitest';";
  writeFileSync(join(folder, 'src', 'probe.test.ts'), [imports, ...lines].join('\n'));
  const { status } = spawnSync(process.execPath, [vitest, 'run'], { cwd: folder });
  const count = countReport(join(folder, '.vitest', 'report.json'));
  return { status, passed: count.passed, failed: count.failed, failures: count.failures.join('\n') };
}

describe('the count of a report', () => {
  it('has no failure where all tests pass', () => {
    const count = countOf(["it('passes', () => {});"]);
    expect(count).toEqual({ status: 0, passed: 1, failed: 0, failures: '' });
  });

  it('has the failure of a hook after passed tests', () => {
    const suite = ["afterAll(() => { throw new Error('the folder is not empty'); });", "it('passes', () => {});"];
    const count = countOf(["describe('a suite', () => {", ...suite, '});']);
    expect(count).toMatchObject({ status: 1, passed: 1, failed: 1 });
    expect(count.failures).toMatch(/probe\.test\.ts, outside of its tests\s+the folder is not empty/);
  });

  it('has an error that no test waits for', () => {
    const late = "setTimeout(() => { throw new Error('too late'); }, 1);";
    const wait = 'await new Promise((resolve) => setTimeout(resolve, 50));';
    const count = countOf([`it('passes', async () => { ${late} ${wait} });`]);
    expect(count).toMatchObject({ status: 1, passed: 1, failed: 1 });
    expect(count.failures).toMatch(/Outside of any test\s+Error: too late/);
  });

  it('has a file that cannot be loaded', () => {
    const count = countOf(["throw new Error('no such engine');"]);
    expect(count).toMatchObject({ status: 1, passed: 0, failed: 1 });
    expect(count.failures).toMatch(/probe\.test\.ts failed to load\s+no such engine/);
  });
});
