import { type FloatTensor, type Primitives, sizeOf } from '@lmd/core';
import type { EngineHost } from './host.js';
import type { BackendWasm } from './host-memory.js';

/** Nanoseconds an element, as measured: turning an operand round, and XNNPACK's packing of the right operand. */
const transposeCost = 1;
const packCost = 5;

/**
 * Matrix products on the wasm engine's XNNPACK. Its `BatchMatMul` kernel uses XNNPACK (33 GFLOP/s on the machine we
 * measured) for one plain product only, and a naive loop (2.3 GFLOP/s) as soon as there is a transpose flag or a batch.
 * So:
 * - operands are turned round beforehand, which costs little beside the product;
 * - where that saves work, Bᵀ·Aᵀ is computed and its small result turned round: XNNPACK repacks its right operand at
 *   some 5 ns an element, which for a weight gradient (a long sum, a small result) would cost more than the product;
 * - a shared right operand makes the batch more rows of one product;
 * - a batch of products runs product by product on views of the operands: half a microsecond each, and 13 GFLOP/s on
 *   the sizes of attention. XNNPACK keeps its packed copy of a right operand for as long as that tensor is registered;
 *   ours are registered for one product, so nothing outlives it and nothing is ever stale.
 */
export function wasmMatmul(
  backend: BackendWasm,
  host: EngineHost,
  transpose: Primitives['transpose'],
): Primitives['matmul'] {
  const { wasm } = backend;
  // With numbers only, `cwrap` returns the exported function itself.
  const batchMatMul = wasm.cwrap('BatchMatMul', null, new Array<'number'>(9).fill('number'));
  // The extents of both operands, in memory of the engine that is ours for good.
  const extents = wasm._malloc(6 * 4) >>> 0;

  // Three tensor numbers of our own, used again for every product: numbers are 32-bit, and a long run would use them
  // up.
  const first = backend.dataIdNextNumber;
  backend.dataIdNextNumber = first + 3;

  /** `batch` products of row-major [m, k] and [k, n]; a stride of 0 shares an operand. */
  function multiply(
    a: { offset: number; stride: number },
    b: { offset: number; stride: number },
    out: number,
    batch: number,
    [m, k, n]: readonly [number, number, number],
  ): void {
    const heap = wasm.HEAP32;
    heap.set([1, m, k, 1, k, n], extents >> 2);
    const { registerTensor, disposeData } = wasm.tfjs;
    for (let index = 0; index < batch; index++) {
      registerTensor(first, m * k, a.offset + 4 * index * a.stride);
      registerTensor(first + 1, k * n, b.offset + 4 * index * b.stride);
      registerTensor(first + 2, m * n, out + 4 * index * m * n);
      batchMatMul(first, extents, 3, first + 1, extents + 12, 3, 0, 0, first + 2);
      for (let id = first; id < first + 3; id++) disposeData(id);
    }
  }

  const offsetOf = (x: FloatTensor) => backend.dataIdMap.get(host.store.dataId(x)).memoryOffset;

  const turned = (x: FloatTensor) => transpose(x, [0, 2, 1]);

  /** a·b, with operands turned where asked. */
  function product(a: FloatTensor, b: FloatTensor, turnA: boolean, turnB: boolean): FloatTensor {
    const left = turnA ? turned(a) : host.store.share(a, a.shape);
    const right = turnB ? turned(b) : host.store.share(b, b.shape);
    const [batchA, m, k] = left.shape as [number, number, number];
    const [batchB, , n] = right.shape as [number, number, number];
    const batch = batchA === 1 ? batchB : batchA;
    const out = host.allocate([batch, m, n], 'f32');
    if (k === 0) host.floats(out).fill(0);
    else if (sizeOf(out.shape) > 0) {
      const rightStride = batchB === 1 ? 0 : k * n;
      const leftAt = { offset: offsetOf(left), stride: batchA === 1 ? 0 : m * k };
      const rightAt = { offset: offsetOf(right), stride: rightStride };
      if (batchB === 1) multiply(leftAt, rightAt, offsetOf(out), 1, [batch * m, k, n]);
      else multiply(leftAt, rightAt, offsetOf(out), batch, [m, k, n]);
    }
    host.store.free(left);
    host.store.free(right);
    return out;
  }

  return (a, b, transposeA, transposeB) => {
    const sizeA = sizeOf(a.shape);
    const sizeB = sizeOf(b.shape);
    const batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
    const sizeOut = batch * a.shape[transposeA ? 2 : 1]! * b.shape[transposeB ? 1 : 2]!;
    const direct =
      (transposeA ? sizeA : 0) * transposeCost + (transposeB ? sizeB : 0) * transposeCost + sizeB * packCost;
    const exchanged =
      (transposeB ? 0 : sizeB) * transposeCost +
      (transposeA ? 0 : sizeA) * transposeCost +
      sizeA * packCost +
      sizeOut * transposeCost;
    // With a shared right operand only the direct form makes one product of the whole batch.
    if (exchanged >= direct || (b.shape[0] === 1 && batch > 1)) return product(a, b, transposeA, transposeB);
    const result = product(b, a, !transposeB, !transposeA);
    const out = turned(result);
    host.store.free(result);
    return out;
  };
}
