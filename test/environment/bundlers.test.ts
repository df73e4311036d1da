import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, stop } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { browserEntries, consumerProject, libraryEntries, runNode } from './consumer.js';

const project = consumerProject();
// esbuild's service is a child process, which would keep the test worker from ending.
afterAll(() => stop());

/** A program that uses what it imports, so that a bundle of it can be run. */
function program(names: readonly string[], optional: string): string {
  const imports = names.map((entry, index) => `import * as entry${index} from '${entry}';`);
  return `${imports.join('\n')}
import { createOperations } from '@lmd/core';
import { createCpuBackend } from '@lmd/backends/cpu';
const empty = [${names.map((_, index) => `entry${index}`).join(', ')}].filter((entry) => Object.keys(entry).length === 0);
const codeOf = (promise) => promise.then(() => 'none', ({ code }) => code);
createCpuBackend({ threads: 1 }).then(async (backend) => {
  const ops = createOperations(backend);
  const a = ops.full([256, 256], 0.5);
  console.log(empty.length, (await ops.read(ops.matmul(a, a))).every((value) => value === 64));
${optional}
});
`;
}

/** CommonJS packages call `require`, which a bundle of ES modules for Node has only by this usual line. */
const forCommonJs = {
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  external: ['@tensorflow/*'],
};

/** What a program may or may not have beside it is found when it runs: by its path, or reported as missing. */
const engine = join(project, 'an engine #1');
const optional = {
  browser: '',
  node: `
  const { loadTfjsNode } = entry${libraryEntries.indexOf('@lmd/backends/tfjs-node')};
  const { stateOfTheUnion } = entry${libraryEntries.indexOf('@lmd/data/node')};
  console.log((await loadTfjsNode(${JSON.stringify(engine)})).version_core);
  console.log(await codeOf(loadTfjsNode()), (await stateOfTheUnion()).length);
  const onThreads = await createCpuBackend({ threads: 2, parallelThreshold: 0 });
  const { full, matmul, read } = createOperations(onThreads);
  const product = async () => (await read(matmul(full([256, 256], 0.5), full([256, 256], 0.5)))).every((value) => value === 64);
  // A worker that failed to start is reported at the next operation.
  console.log(await product(), await new Promise((resolve) => setTimeout(resolve, 300)).then(product));
  onThreads.close();`,
};
mkdirSync(join(engine, 'dist'), { recursive: true });
writeFileSync(
  join(engine, 'dist', 'index.js'),
  "exports.version_core = 'of the engine'; exports.findBackend = () => null;",
);
const printed = {
  browser: '0 true\n',
  node: '0 true\nof the engine\nENGINE_MISSING 233\ntrue true\n',
};

// TensorFlow.js looks for a page before it looks for Node; js-sha256, below the clients of NATS, takes Node for Node.
writeFileSync(
  join(project, 'page.cjs'),
  'globalThis.window = globalThis.self = globalThis; globalThis.document = {}; globalThis.JS_SHA256_NO_NODE_JS = true;',
);
const run = (name: string, bundle: string) =>
  runNode([...(name === 'browser' ? ['--require', './page.cjs'] : []), bundle], project);

for (const [name, names] of [
  ['browser', browserEntries],
  ['node', libraryEntries],
] as const) {
  writeFileSync(join(project, `${name}.mjs`), program(names, optional[name]));
}

describe('webpack', () => {
  it.each([
    ['browser', 'web'],
    ['node', 'node20'],
  ] as const)('bundles every entry for %s without a warning, and the bundle runs', async (name, target) => {
    const compiler = webpack({
      mode: 'production',
      context: project,
      entry: `./${name}.mjs`,
      target,
      output: { path: project, filename: `webpack-${name}.cjs`, publicPath: '' },
      performance: false,
      // Text is not what is tested, and takes the time.
      optimization: { minimize: false },
      // A page loads the parts by script elements, which Node, where the bundle runs here, does not have.
      plugins: [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
    });
    const stats = await promisify(compiler.run.bind(compiler))();
    await promisify(compiler.close.bind(compiler))();
    const { warnings, errors } = stats!.toJson({ all: false, warnings: true, errors: true });
    expect({
      warnings: warnings?.map(({ message }) => message),
      errors: errors?.map(({ message }) => message),
    }).toEqual({
      warnings: [],
      errors: [],
    });
    expect(await run(name, `webpack-${name}.cjs`)).toEqual({ code: 0, stdout: printed[name], stderr: '' });
  });
});

describe('esbuild', () => {
  it.each([
    ['browser', 'browser', 'esm', 'mjs'],
    ['browser', 'browser', 'iife', 'cjs'],
    ['node', 'node', 'esm', 'mjs'],
    ['node', 'node', 'cjs', 'cjs'],
  ] as const)(
    'bundles every entry for %s (%s, %s) without a warning, and the bundle runs',
    async (name, platform, format, extension) => {
      const outfile = join(project, `esbuild-${platform}-${format}.${extension}`);
      const { warnings, errors } = await build({
        entryPoints: [join(project, `${name}.mjs`)],
        bundle: true,
        platform,
        format,
        outfile,
        target: 'es2022',
        ...(platform === 'node' && format === 'esm' ? forCommonJs : {}),
        logLevel: 'silent',
      });
      expect({ warnings, errors }).toEqual({ warnings: [], errors: [] });
      expect(await run(name, outfile)).toEqual({ code: 0, stdout: printed[name], stderr: '' });
    },
  );
});
