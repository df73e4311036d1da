// node scripts/native-tests.mjs [FOLDER]: builds tfjs-node through tools/libtensorflow (once, in FOLDER or node_modules/.cache), and
// runs the tests that need it. It needs Linux on x64, pip and g++. vitest's reports go to .vitest/native.json of each package, and the
// last line adds them up: `N passed, N failed`.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildEngine } from '../tools/libtensorflow/build.mjs';
import { root, setUp, tool } from './lib.mjs';
import { countReport } from './reports.mjs';

const suites = [
  { folder: 'packages/backends', files: ['test/tfjs-node.test.ts'] },
  { folder: 'packages/conformance', files: ['src/tfjs-node.test.ts'] },
  // Its configuration names the files that run on any engine.
  { folder: 'packages/tfjs', files: [] },
];

await setUp({ build: false });
const total = { passed: 0, failed: 0 };
try {
  const engine = await buildEngine({
    folder: resolve(process.argv[2] ?? join(root, 'node_modules', '.cache', 'lmd-tfjs-node')),
    log: (line) => console.log(line),
  });
  for (const { folder, files } of suites) {
    // Where the packages' own configuration has it, and aside then: `npm test` reads what lies there.
    const written = join(root, folder, '.vitest', 'report.json');
    const kept = join(root, folder, '.vitest', 'native.json');
    for (const path of [written, kept]) rmSync(path, { force: true });
    await tool('vitest', 'vitest.mjs', ['run', ...files], {
      cwd: join(root, folder),
      stdout: 'inherit',
      env: { LMD_TFJS_NODE: engine },
    });
    if (existsSync(written)) renameSync(written, kept);
    const { passed, failed } = countReport(kept);
    total.passed += passed;
    total.failed += failed;
  }
} catch (error) {
  console.error(`The engine could not be built: ${error.message}`);
  total.failed += 1;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
