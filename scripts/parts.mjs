// The test files of the suites other than `npm test`, by package.
import { join } from 'node:path';
import { root } from './lib.mjs';

export const nativeParts = [
  { folder: 'packages/native', files: ['sanitizers', 'arm64', 'binaries'].map((name) => `test/${name}.test.ts`) },
  {
    folder: 'packages/backends',
    files: ['tfjs-node', 'products', 'fused'].map((name) => `test/${name}.test.ts`),
  },
  { folder: 'packages/conformance', files: ['src/tfjs-node.test.ts', 'src/cpu-levels.test.ts'] },
  // Its configuration lists the test files that run on any engine.
  { folder: 'packages/tfjs', files: [] },
  // Tests that take too long for `npm test`: ten thousand damaged files each, every code point, many kills of the built
  // command.
  {
    folder: 'packages/data',
    files: ['test/faults', 'src/text/tokenizers', 'src/node/token-file-description'].map((name) => `${name}.test.ts`),
  },
  { folder: 'packages/onnx', files: ['test/onnxruntime.test.ts'] },
  { folder: 'packages/safetensors', files: ['src/fuzz.test.ts'] },
  { folder: 'packages/training', files: ['src/node/fuzz.test.ts'] },
  { folder: 'apps/cli', files: ['resume', 'fuzz', 'transformers-js'].map((name) => `test/${name}.test.ts`) },
  { folder: 'packages/inference', files: ['src/node/model-file.test.ts'] },
  // Each benchmark once, at its smallest sizes; some need an engine.
  { folder: 'dev', files: ['bench/benchmarks.test.ts'] },
];

/** The folders of the packages with tests in a browser. */
export const browserFolders = [
  ...['conformance', 'tfjs', 'onnx', 'inference'].map((name) => join('packages', name)),
  join('apps', 'playground'),
  join('apps', 'docs'),
];

/**
 * WebGPU with Dawn in Node, on Chromium's software Vulkan driver. On a machine with a Vulkan driver, `npm test` also
 * runs these files.
 */
export const webgpuParts = [
  {
    folder: 'packages/backends',
    files: ['faults', 'counters', 'grouping', 'splitting', 'packed', 'block-products']
      .map((name) => `test/webgpu-${name}.test.ts`)
      .concat('test/tfjs-on-webgpu.test.ts'),
  },
  {
    folder: 'packages/conformance',
    files: ['webgpu', 'webgpu-training', 'same-logits'].map((name) => `src/${name}.test.ts`),
  },
  { folder: 'packages/training', files: ['src/node/device-loss.test.ts'] },
];

/** The folder of the dry run of a release. */
export const releaseFolder = join(root, 'dev', 'release');
const releaseReport = (name) => join(releaseFolder, '.vitest', `${name}.json`);

/** Its parts, each with its report: what is installed must have been published. */
export const releaseParts = [
  { report: releaseReport('publish'), files: ['publish'] },
  { report: releaseReport('install'), files: ['npm', 'pnpm', 'yarn', 'bun', 'commands'] },
];
