import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { consumerProject, entries, root, runNode } from './consumer.js';

const project = consumerProject();
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const canRequire = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);

it('a CommonJS program requires every public entry, and computes with them', async ({ skip }) => {
  skip(!canRequire, 'this version of Node cannot require() ECMAScript modules');
  writeFileSync(
    join(project, 'main.cjs'),
    `for (const entry of ${JSON.stringify(entries)}) {
  if (Object.keys(require(entry)).length === 0) throw new Error(entry + ' exports nothing');
}
const { createOperations } = require('@lmd/core');
const { createCpuBackend } = require('@lmd/backends/cpu');
createCpuBackend({ threads: 2 }).then(async (backend) => {
  const ops = createOperations(backend);
  const a = ops.full([256, 256], 0.5);
  console.log((await ops.read(ops.matmul(a, a))).every((value) => value === 64));
  backend.close();
});
`,
  );
  expect(await runNode(['main.cjs'], project)).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
});

// TypeScript allows `require` of ES modules under nodenext alone, and under node16 not yet.
it.each([
  ['node16', 'node16', ['mts']],
  ['nodenext', 'nodenext', ['mts', 'cts']],
  ['esnext', 'bundler', ['ts']],
])(
  'TypeScript finds the types of every public entry, with module %s and moduleResolution %s',
  async (module, resolution, kinds) => {
    const imports = entries.map((entry, index) => `import * as entry${index} from '${entry}';`);
    const uses = entries.map((_, index) => `entry${index}`).join(', ');
    const files = kinds.map((kind) => `types-${module}.${kind}`);
    for (const file of files)
      writeFileSync(join(project, file), `${imports.join('\n')}\nexport const all = [${uses}];\n`);
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--skipLibCheck'];
    const args = [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, '--module', module];
    const outcome = await runNode([...args, '--moduleResolution', resolution, ...files], project);
    expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' });
  },
);
