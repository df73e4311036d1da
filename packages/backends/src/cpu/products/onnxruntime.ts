import { LmdError } from '@lmd/core';
import type { WasmMemory } from '../arena.js';
import type { Addresses, Product, ProductEngine } from './engine.js';
import { names, productModel } from './onnx-model.js';
import { loadBinding, type NativeTensor, type OnnxruntimeBinding, type Session } from './onnxruntime-binding.js';

/**
 * Matrix products by onnxruntime, through the native call beneath `InferenceSession.run`: it is synchronous, which `run` is not, and it
 * computes on the backend's memory in place.
 *
 * That call copies each output into a new array, though the output was given and holds the result by then; for a large product the copy
 * takes as long as the product. A model's first output here is therefore of a type that JavaScript has no array for: the call refuses
 * to convert it, before it comes to the product, and throws. The start finds out what it says then; only an error that says the same
 * passes for success. A version that converts this type too, or copies nothing, throws nothing, and works as well.
 */
export async function startOnnxruntime(threads: number, specifier?: string): Promise<ProductEngine> {
  const { binding, version, fail } = loadBinding(specifier);
  const sessions = new Map<number, Session>();
  let stopped: string | undefined;

  function run(memory: WasmMemory, product: Product, at: Addresses): void {
    const { batch, rows, terms, columns, transposeA, transposeB, batchA, batchB } = product;
    const tensor = (address: number, dims: number[]): NativeTensor => ({
      type: 'float32',
      location: 'cpu',
      dims,
      // A view of the memory as it is now: growing it detaches those made before.
      data: new Float32Array(
        memory.buffer,
        address,
        dims.reduce((size, extent) => size * extent, 1),
      ),
    });
    const session = sessions.get(keyOf(transposeA, transposeB))!;
    const a = tensor(at.a, transposeA ? [batchA, terms, rows] : [batchA, rows, terms]);
    const b = tensor(at.b, transposeB ? [batchB, columns, terms] : [batchB, terms, columns]);
    const result = session.run(
      { [names.a]: a, [names.b]: b },
      { [names.stopper]: null, [names.product]: tensor(at.out, [batch, rows, columns]) },
      {},
    );
    if (typeof (result as Partial<Promise<unknown>> | undefined)?.then === 'function')
      throw new Error('its native call is not synchronous');
  }

  function multiply(memory: WasmMemory, product: Product, at: Addresses): void {
    try {
      run(memory, product, at);
    } catch (cause) {
      if (stopped !== undefined && (cause as Error).message === stopped) return;
      throw new LmdError('BACKEND_FAILURE', `onnxruntime could not multiply: ${(cause as Error).message}`, {
        subject: 'products',
        value: product,
        cause,
        remedy: "Use products: 'wasm', if it happens again.",
      });
    }
  }

  try {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        sessions.set(keyOf(transposeA, transposeB), openSession(binding, threads, transposeA, transposeB));
      }
    }
    const plain = new ArrayBuffer(testBytes);
    stopped = whatStops(() => run({ buffer: plain, grow: () => 0 }, testProduct(false, false), testAddresses));
    test(multiply, plain);
  } catch (cause) {
    // Where nothing is right, what stopped the first call may say why.
    throw fail(stopped === undefined ? cause : new Error(`${stopped}; ${(cause as Error).message}`, { cause }));
  }
  return {
    label: `onnxruntime ${version}`,
    threads,
    sharedMemory: worksOnSharedMemory(multiply),
    multiply,
    close() {
      for (const session of sessions.values()) session.dispose?.();
      sessions.clear();
    },
  };
}

const keyOf = (transposeA: boolean, transposeB: boolean): number => Number(transposeA) + 2 * Number(transposeB);

function openSession(binding: OnnxruntimeBinding, threads: number, transposeA: boolean, transposeB: boolean): Session {
  const session = new binding.InferenceSession();
  const model = productModel(transposeA, transposeB);
  session.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Errors reach the caller as exceptions; 4 is "fatal".
    logSeverityLevel: 4,
    // Threads that spin for their next product would take processors from our own kernels, which come first.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return session;
}

function whatStops(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const testAddresses: Addresses = { a: 0, b: 128, out: 256 };
const testBytes = 384;

function testProduct(transposeA: boolean, transposeB: boolean): Product {
  return { batch: 2, rows: 2, terms: 3, columns: 4, transposeA, transposeB, batchA: 2, batchB: 1 };
}

/** Multiplies small integers, turned in each way, and compares with what must come out. */
function test(multiply: ProductEngine['multiply'], buffer: ArrayBufferLike): void {
  const memory: WasmMemory = { buffer, grow: () => 0 };
  const a = (matrix: number, row: number, term: number) => 6 * matrix + 3 * row + term - 5;
  const b = (term: number, column: number) => 7 - 4 * term + 3 * column;
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const left = new Float32Array(buffer, testAddresses.a, 12);
      const right = new Float32Array(buffer, testAddresses.b, 12);
      const out = new Float32Array(buffer, testAddresses.out, 16).fill(Number.NaN);
      const wanted: number[] = [];
      for (let matrix = 0; matrix < 2; matrix++) {
        for (let row = 0; row < 2; row++) {
          for (let column = 0; column < 4; column++) {
            let sum = 0;
            for (let term = 0; term < 3; term++) {
              left[6 * matrix + (transposeA ? 2 * term + row : 3 * row + term)] = a(matrix, row, term);
              right[transposeB ? 3 * column + term : 4 * term + column] = b(term, column);
              sum += a(matrix, row, term) * b(term, column);
            }
            wanted.push(sum);
          }
        }
      }
      multiply(memory, testProduct(transposeA, transposeB), testAddresses);
      const wrong = wanted.findIndex((value, i) => value !== out[i]);
      if (wrong >= 0) throw new Error(`element ${wrong} of a small product is ${out[wrong]}, not ${wanted[wrong]}`);
    }
  }
}

/** Node before version 22 gives native code no views on shared memory. */
function worksOnSharedMemory(multiply: ProductEngine['multiply']): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  try {
    test(multiply, new SharedArrayBuffer(testBytes));
    return true;
  } catch {
    return false;
  }
}
