// node scripts/native-tests.mjs [FOLDER]: installs the native engines that are optional, once, in FOLDER or node_modules/.cache, and runs the
// tests that need them: tfjs-node through dev/engines/libtensorflow, which needs Linux on x64, pip and
// g++, and zig from PyPI, which compiles our native kernels for every platform (those of arm64 run under qemu-aarch64). Then those that damage
// files and kill processes many times. vitest's reports go to .vitest/native.json of each package, and the last line adds them up:
// `N passed, N failed`.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildEngine } from '../dev/engines/libtensorflow/build.mjs';
import { installZig } from '../packages/native/scripts/install-zig.mjs';
import { root, setUp, tool } from './lib.mjs';
import { countReport } from './reports.mjs';

/** By the variable that tells the tests where an engine is. One that is there already is used as it is. */
const engines = {
  LMD_TFJS_NODE: ['lmd-tfjs-node', buildEngine],
  ZIG: ['lmd-zig', installZig],
};

const suites = [
  { folder: 'packages/native', files: ['sanitizers', 'arm64', 'binaries'].map((name) => `test/${name}.test.ts`) },
  {
    folder: 'packages/backends',
    files: ['tfjs-node', 'products', 'fused'].map((name) => `test/${name}.test.ts`),
  },
  { folder: 'packages/conformance', files: ['src/tfjs-node.test.ts'] },
  // Its configuration names the files that run on any engine.
  { folder: 'packages/tfjs', files: [] },
  // What is too long for `npm test`: ten thousand damaged files each, every code point, many kills of the built
  // command.
  {
    folder: 'packages/data',
    files: ['test/faults', 'src/text/tokenizers', 'src/node/token-file-description'].map((name) => `${name}.test.ts`),
  },
  { folder: 'packages/safetensors', files: ['src/fuzz.test.ts'] },
  { folder: 'packages/training', files: ['src/node/fuzz.test.ts'] },
  { folder: 'apps/cli', files: ['test/resume.test.ts', 'test/fuzz.test.ts', 'src/model-file/model-file.test.ts'] },
  // The benchmarks that need an engine run here; the others once more.
  { folder: 'dev', files: ['bench/benchmarks.test.ts'] },
];

await setUp();
const total = { passed: 0, failed: 0 };
const env = {
  LMD_FUZZ_FILES: '10000',
  LMD_FUZZ_INPUTS: '10000',
  LMD_KILLS: '5',
  LMD_EXHAUSTIVE: '1',
  LMD_NATIVE_SUITE: '1',
};
for (const [variable, [name, install]] of Object.entries(engines)) {
  const folder = resolve(process.argv[2] ?? join(root, 'node_modules', '.cache'), name);
  try {
    env[variable] = process.env[variable] ?? (await install({ folder, log: (line) => console.log(line) }));
  } catch (error) {
    console.error(`The engine for ${variable} could not be installed: ${error.message}`);
    total.failed += 1;
  }
}
for (const { folder, files } of suites) {
  // Where the packages' own configuration has it, and aside then: `npm test` reads what lies there.
  const written = join(root, folder, '.vitest', 'report.json');
  const kept = join(root, folder, '.vitest', 'native.json');
  for (const path of [written, kept]) rmSync(path, { force: true });
  await tool('vitest', 'vitest.mjs', ['run', ...files], { cwd: join(root, folder), stdout: 'inherit', env });
  if (existsSync(written)) renameSync(written, kept);
  const { passed, failed } = countReport(kept);
  total.passed += passed;
  total.failed += failed;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
