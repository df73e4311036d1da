import { expect, it } from 'vitest';
import { lmd, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();

it('times every task on every backend that is asked for', async () => {
  const { code, stdout, stderr } = await lmd(
    ['bench', '--backend', 'cpu', 'tfjs-wasm', '--seconds', '0.001', '--json'],
    folder,
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { rows, devices } = JSON.parse(stdout) as {
    readonly rows: readonly { readonly speeds: Readonly<Record<string, number>> }[];
    readonly devices: object;
  };
  expect(Object.keys(devices)).toEqual(['cpu', 'tfjs-wasm', 'tf.wasm']);
  expect(rows.length).toBeGreaterThan(10);
  // What TensorFlow.js has by itself: products, and Adam.
  expect(rows.filter(({ speeds }) => speeds['tf.wasm'] !== undefined)).toHaveLength(4);
  for (const { speeds } of rows) {
    expect(Object.keys(speeds).slice(0, 2)).toEqual(['cpu', 'tfjs-wasm']);
    for (const speed of Object.values(speeds)) expect(speed).toBeGreaterThan(0);
  }
});

it('refuses a backend that there is not, and no time', async () => {
  const refused = async (...words: string[]) => lmd(['bench', ...words], folder);
  expect(await refused('--backend', 'cpuu')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Allowed choices are cpu, webgpu,'),
  });
  expect(await refused('--seconds', '0')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("argument '0' is invalid. Use a finite number above 0."),
  });
});
