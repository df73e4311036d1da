import { createReferenceBackend } from '@lmd/backends/reference';
import { type Backend, LmdError } from '@lmd/core';
import { expect, it, vi } from 'vitest';
import { backendNames, bundledBackends } from '../engine/names.js';
import { diagnoseBackend } from './probe.js';

it.each(bundledBackends)('finds %s at work', async (name) => {
  const diagnosis = await diagnoseBackend(name);
  expect(diagnosis).toMatchObject({ name, works: true, device: expect.any(String) });
  expect(diagnosis.gigaflops).toBeGreaterThan(0.01);
});

it.each(backendNames)('finds %s at work, or says what it needs', async (name) => {
  const { works, device, reason } = await diagnoseBackend(name);
  if (works) expect(device).toEqual(expect.any(String));
  else expect(reason).toMatch(/[Ii]nstall/);
});

it('says why a backend cannot start', async () => {
  const missing = new LmdError('ENGINE_MISSING', 'No engine.', { remedy: 'Install one.' });
  const diagnosis = await diagnoseBackend('tfjs-wasm', () => Promise.reject(missing));
  expect(diagnosis).toEqual({ name: 'tfjs-wasm', works: false, reason: 'No engine. Install one.' });
});

it.each([
  [
    'cpu',
    new RangeError('WebAssembly.Memory(): could not allocate memory'),
    /memory\. WebAssembly reserves .*ulimit -v/,
  ],
  [
    'tfjs-cpu',
    new TypeError('x is not a function\n    at y.js'),
    /^x is not a function\. Use another backend; .*=tfjs-cpu with/,
  ],
] as const)('says what to do where %s fails with an error of none of ours', async (name, error, reason) => {
  const diagnosis = await diagnoseBackend(name, () => Promise.reject(error));
  expect(diagnosis.works).toBe(false);
  expect(diagnosis.reason).toMatch(reason);
  expect(diagnosis.reason).not.toContain('lmd doctor');
});

it.each<[string, (right: Backend) => Partial<Backend>]>([
  ['matrix product', (right) => ({ matmul: (a, b) => right.negate(right.matmul(a, b, false, false)) })],
  ['MXFP6 quantization', (right) => ({ fused: { fakeQuantize: (x) => right.reshape(x, x.shape) } })],
  ['random bits', (right) => ({ randomBits: (shape, key) => right.randomBits(shape, { ...key, seed: key.seed + 1 }) })],
])('finds a wrong %s', async (check, breakIt) => {
  const right = createReferenceBackend();
  const diagnosis = await diagnoseBackend('reference', async () => ({ ...right, ...breakIt(right) }));
  expect(diagnosis.works).toBe(false);
  expect(diagnosis.reason).toContain(check);
});

it('says which native kernels the cpu backend uses, or why there are none', async () => {
  const { device, withoutNative } = await diagnoseBackend('cpu');
  if (withoutNative === undefined) expect(device).toContain('native products by');
  else expect(withoutNative).toMatch(/is not installed|does not|lacks|has no|Node 20/);
  vi.stubEnv('LMD_NATIVE', 'off');
  const off = await diagnoseBackend('cpu');
  vi.unstubAllEnvs();
  expect(off).toMatchObject({ works: true, withoutNative: "The option native is 'off'." });
  expect(off.device).not.toContain('native');
  expect(off.integerProducts).toMatch(/^(dot products of bytes|products of i16).*128 bits/);
});
