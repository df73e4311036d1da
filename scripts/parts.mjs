// Which test files the suites beside `npm test` run, by package.

export const nativeParts = [
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

/**
 * WebGPU by Dawn in Node, on Chromium's Vulkan driver in software. On a machine with a Vulkan driver of its own
 * `npm test` runs these files too.
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
