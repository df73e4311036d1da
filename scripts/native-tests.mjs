// node scripts/native-tests.mjs [FOLDER]: installs optional native engines once, in FOLDER or node_modules/.cache, and
// runs the tests that need them: tfjs-node with dev/engines/libtensorflow, which needs Linux on x64, pip and g++,
// transformers.js with onnxruntime-node, which run exported models, and zig from PyPI, which compiles the native
// kernels for every platform (those of arm64 run in qemu-aarch64). Then it runs the tests that damage files and kill
// processes many times. Vitest's reports go to .vitest/native.json of each package; the last line is their total:
// `N passed, N failed`.
import { join, resolve } from 'node:path';
import { buildEngine } from '../dev/engines/libtensorflow/build.mjs';
import { installTransformersJs } from '../dev/engines/transformersjs/install.mjs';
import { installZig } from '../packages/native/scripts/install-zig.mjs';
import { root, setUp } from './lib.mjs';
import { nativeParts } from './parts.mjs';
import { totalOf } from './reports.mjs';
import { runSuite } from './suites.mjs';

/** By the environment variable with the path of an engine. If it is already set, that engine is used. */
const engines = {
  LMD_TFJS_NODE: ['lmd-tfjs-node', buildEngine],
  LMD_TRANSFORMERSJS: ['lmd-transformersjs', installTransformersJs],
  ZIG: ['lmd-zig', installZig],
};

await setUp();
let missing = 0;
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
    missing += 1;
  }
}
const suite = totalOf(await runSuite('native', nativeParts, env));
const total = { ...suite, failed: suite.failed + missing };
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
