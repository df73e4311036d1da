import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { loadNative, type Native, NativeError, type NativeKernels } from '../src/index.js';
import { nothingToTest } from './levels.js';

if (nothingToTest !== undefined) it.skip(`native bounds: ${nothingToTest}`, () => {});
else {
  const { native } = loadNative() as { native: Native };
  const { binary, level, fused } = native.source;
  const addOn = createRequire(import.meta.url)(binary) as {
    open(level: string, fused: boolean): Record<'matmul', (...task: unknown[]) => void>;
  };
  const raw = addOn.open(level, fused).matmul;
  const names = [
    'from',
    'to',
    'a',
    'b',
    'out',
    'm',
    'k',
    'n',
    'transposeA',
    'transposeB',
    'strideA',
    'strideB',
    'partRows',
    'partColumns',
  ];
  const right: readonly (number | boolean)[] = [0, 1, 0, 64, 128, 2, 2, 2, false, false, 0, 0, 2, 2];
  const changed = (change: Readonly<Record<string, number>>) =>
    right.map((value, i) => change[names[i]!] ?? value) as Parameters<NativeKernels['matmul']>;

  const wrong: readonly Readonly<Record<string, number>>[] = [
    { a: 2 },
    { b: -4 },
    { out: 1024 - 12 },
    { a: Number.NaN },
    { m: 0 },
    { k: 0 },
    { n: 2 ** 31 + 1 },
    { m: 1.5 },
    { partRows: 0 },
    { partColumns: -1 },
    { strideB: -2 },
    { to: 200, strideA: 4 },
    { to: 2 ** 31 },
    { m: 2 ** 31, k: 2 ** 31, n: 2 ** 31 },
  ];
  it.each(wrong)('refuses %j, in TypeScript and again in C', (change) => {
    const buffer = new ArrayBuffer(1024);
    const matmul = native.kernels({ buffer }).matmul;
    expect(() => matmul(...changed(change))).toThrow(NativeError);
    expect(() => raw(new Uint8Array(buffer), ...changed(change))).toThrow(RangeError);
  });

  it('refuses in C what is no memory and no number', () => {
    const buffer = new ArrayBuffer(1024);
    expect(() => raw(new Float32Array(buffer), ...right)).toThrow(/Uint8Array/);
    expect(() => raw(buffer, ...right)).toThrow(/Uint8Array/);
    expect(() => raw(new Uint8Array(buffer), ...right.slice(1))).toThrow(/Uint8Array/);
    expect(() => raw(new Uint8Array(buffer), 'none', ...right.slice(1))).toThrow(/number/);
    expect(() => addOn.open(1 as never, true)).toThrow(TypeError);
  });

  it('refuses a detached buffer, and works on one that has taken its place', () => {
    const memory = { buffer: new ArrayBuffer(1024) as ArrayBufferLike };
    const { matmul } = native.kernels(memory);
    matmul(...changed({}));
    structuredClone(memory.buffer, { transfer: [memory.buffer as ArrayBuffer] });
    expect(() => matmul(...changed({}))).toThrow(/memory of 0 bytes/);
    memory.buffer = new SharedArrayBuffer(2048);
    matmul(...changed({ out: 1024 }));
  });
}
