import { expect, it } from 'vitest';
import { consumerProject, runNode } from './consumer.js';

const project = consumerProject();

const program = `
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
const backend = await createCpuBackend({ threads: 4 });
const ops = createOperations(backend);
const a = ops.full([512, 512], 0.5);
const product = await ops.read(ops.matmul(a, a));
const sum = await ops.read(ops.sum(ops.full([1 << 20], 1)));
console.log(product.every((value) => value === 128), sum[0], backend.device.includes('4 threads'));
backend.close();
`;

// Workers and child processes take over the arguments of Node itself, unless told otherwise.
it.each<[string, string[], NodeJS.ProcessEnv]>([
  ['--input-type=module', ['--input-type=module', '--eval', program], {}],
  ['NODE_OPTIONS', ['--input-type=module', '--eval', program], { NODE_OPTIONS: '--input-type=module' }],
  ['--import', ['--import', 'data:text/javascript,', '--input-type=module', '--eval', program], {}],
  [
    '--no-warnings and a heap limit',
    ['--no-warnings', '--max-old-space-size=512', '--input-type=module', '--eval', program],
    {},
  ],
])('the threads of the cpu backend compute under %s', async (_, args, env) => {
  expect(await runNode(args, project, env)).toEqual({ code: 0, stdout: 'true 1048576 true\n', stderr: '' });
});
