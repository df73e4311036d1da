import { expect, it } from 'vitest';
import { openTfjsEngine } from './tfjs-packages.js';

/** As Node rejects an import. */
const notFound = (name: string) => async () => {
  throw Object.assign(new Error(`Cannot find package '${name}' imported from /lmd/dist/engine.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
};
const packages = {
  core: () => import('@tensorflow/tfjs-core'),
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

it.each(['wasm', 'cpu'] as const)('registers the %s engine where it is installed', async (engine) => {
  const tf = await openTfjsEngine(engine);
  expect(tf.findBackendFactory(engine)).toBeTypeOf('function');
});

it.each([
  ['@tensorflow/tfjs-core', { ...packages, core: notFound('@tensorflow/tfjs-core') }],
  ['@tensorflow/tfjs-backend-wasm', { ...packages, wasm: notFound('@tensorflow/tfjs-backend-wasm') }],
])('names the package %s where it is missing, and what to install', async (name, given) => {
  await expect(openTfjsEngine('wasm', given)).rejects.toMatchObject({
    code: 'ENGINE_MISSING',
    subject: 'tfjs-wasm',
    value: name,
    message: expect.stringContaining(name),
    remedy: expect.stringContaining('npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm'),
  });
});

it('rethrows what is wrong within a package', async () => {
  const cause = new TypeError('The engine is broken.');
  await expect(openTfjsEngine('cpu', { ...packages, cpu: () => Promise.reject(cause) })).rejects.toBe(cause);
});
