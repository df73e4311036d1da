import type { CpuBackend } from '@lmd/backends/cpu';
import { createOperations, fillRandomBits, LmdError, type Operations } from '@lmd/core';
import { fakeQuantize, mxfp6_e3m2 } from '@lmd/mx-formats';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { openBackend } from '../engine/index.js';
import { addressSpaceRemedy } from '../engine/tfjs.js';
import { serializeError } from '../errors.js';

export interface BackendDiagnosis {
  /** A backend of the command, or the path of a module. */
  readonly name: string;
  readonly works: boolean;
  /** The device that it runs on. */
  readonly device?: string;
  /** Why the cpu backend has no native kernels; absent if it has them. */
  readonly withoutNative?: string;
  /** How the cpu backend multiplies the integers of exact block products. */
  readonly integerProducts?: string;
  /** Speed of one matrix product of 256 × 256. */
  readonly gigaflops?: number;
  /** Why it does not work, with the remedy. */
  readonly reason?: string;
}

/** Compares the 32 bits of each element, so that −0 is not 0. */
function requireEqual(check: string, actual: Float32Array | Int32Array, expected: Float32Array | Int32Array): void {
  const bitsOf = (values: Float32Array | Int32Array) => new Uint32Array(values.slice().buffer);
  const expectedBits = bitsOf(expected);
  const wrong = bitsOf(actual).findIndex((bits, index) => bits !== expectedBits[index]);
  if (actual.length === expected.length && wrong < 0) return;
  throw new LmdError('BACKEND_FAILURE', `${check}: element ${wrong} is ${actual[wrong]}, not ${expected[wrong]}.`, {
    subject: check,
    remedy: 'This backend computes wrong results on this machine: use another one.',
  });
}

async function checkMatmul(ops: Operations): Promise<void> {
  const product = ops.matmul(ops.fromData([1, 2, 3, 4, 5, 6], [2, 3]), ops.fromData([7, 8, 9, 10, 11, 12], [3, 2]));
  requireEqual('matrix product', (await ops.read(product)) as Float32Array, Float32Array.of(58, 64, 139, 154));
}

async function checkQuantization(ops: Operations): Promise<void> {
  const values = Float32Array.from({ length: 64 }, (_, index) => Math.sin(index) * 2 ** ((index % 13) - 6));
  const quantized = ops.fakeQuantize(ops.fromData(values, [2, 32]), { format: mxfp6_e3m2, axis: 1 });
  requireEqual(
    'MXFP6 quantization',
    (await ops.read(quantized)) as Float32Array,
    fakeQuantize(values, { format: mxfp6_e3m2 }),
  );
}

async function checkRandomBits(ops: Operations): Promise<void> {
  const key = { seed: 7, stream: 1, step: 2, sample: 3 };
  const expected = new Int32Array(10);
  fillRandomBits(expected, key);
  requireEqual('random bits', (await ops.read(ops.randomBits([10], key))) as Int32Array, expected);
}

const size = 256;

async function measureMatmul(ops: Operations): Promise<number> {
  const a = ops.full([size, size], 0.5);
  let best = Number.POSITIVE_INFINITY;
  // The first run warms up.
  for (let repeat = 0; repeat < 4; repeat++) {
    const began = performance.now();
    await ops.read(ops.matmul(a, a));
    best = Math.min(best, performance.now() - began);
  }
  return (2 * size ** 3) / best / 1e6;
}

/** The error with its remedy, or with a general remedy if it is not an error of `@lmd/*`. */
function reasonOf(name: string, error: unknown): string {
  const { message, remedy } = serializeError(error);
  if (remedy !== undefined) return message;
  const sentence = `${message.split('\n')[0]!.replace(/\.$/, '')}.`;
  if (/WebAssembly|memory/i.test(message)) return `${sentence} ${addressSpaceRemedy}`;
  return (
    `${sentence} Use another backend; lmd train smoke --set backend=${name} with LMD_DEBUG=1 shows the stack ` +
    'trace.'
  );
}

/**
 * Starts a backend, runs a few operations with bit-exact expected results, and measures its speed.
 *
 * @param open starts it; for tests.
 */
export async function diagnoseBackend(choice: BackendChoice, open = openBackend): Promise<BackendDiagnosis> {
  const name = typeof choice === 'string' ? choice : choice.module;
  try {
    const backend = await open(choice);
    try {
      const ops = createOperations(backend);
      await checkMatmul(ops);
      await checkQuantization(ops);
      await checkRandomBits(ops);
      const { native, integerProducts } = backend as Partial<CpuBackend>;
      return {
        ...{ name, works: true, device: backend.device },
        ...(native?.reason === undefined ? {} : { withoutNative: native.reason }),
        ...(integerProducts === undefined ? {} : { integerProducts }),
        gigaflops: await measureMatmul(ops),
      };
    } finally {
      backend.close?.();
    }
  } catch (error) {
    return { name, works: false, reason: reasonOf(name, error) };
  }
}
