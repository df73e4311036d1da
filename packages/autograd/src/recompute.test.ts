import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, isLmdError, type NamedTensors, type Operations, type Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { float64, randomFrom } from '../test/support.js';
import { createTape, recompute, valueAndGradients } from './index.js';

type Block = (ops: Operations, inputs: NamedTensors) => Tensor;
const plainly = (ops: Operations, inputs: NamedTensors, f: Block): Tensor => f(ops, inputs);
const width = 16;

/** A block with noise, a residual stream and a weight that is used twice. */
const block: Block = (ops, { x, w }) =>
  ops.scope(() => {
    const hidden = ops.tanh(ops.matmul(x!, w!));
    const noise = ops.randomNormal(x!.shape, { seed: 1, stream: 2, step: 3, sample: 4 });
    return ops.add(x!, ops.matmul(ops.gelu(ops.multiply(hidden, noise)), w!, { transposeB: true }));
  });

function run(wrap: typeof recompute, depth: number) {
  const ops = createOperations(createReferenceBackend());
  const random = randomFrom(5);
  const matrix = (rows: number) =>
    ops.fromData(
      Array.from({ length: rows * width }, () => 0.4 * (random() - 0.5)),
      [rows, width],
    );
  const weights: NamedTensors = Object.fromEntries([
    ['x', matrix(8)],
    ...Array.from({ length: depth }, (_, i) => [`w${i}`, matrix(width)]),
  ]);
  const before = ops.memory();
  ops.resetPeakMemory();
  const { value, gradients } = valueAndGradients(ops, weights, (tape, w) => {
    let x = tape.multiply(w.x!, 2);
    for (let i = 0; i < depth; i++) {
      const y = wrap(tape, { x, w: w[`w${i}`]! }, block);
      tape.dispose(x);
      x = y;
    }
    return tape.sum(tape.multiply(x, x));
  });
  expect(ops.memory().tensors - before.tensors).toBe(1 + depth + 1);
  return { ops, value, gradients, peak: ops.memory().peakBytes - before.bytes };
}

describe('recompute', () => {
  it('gives the very bits that the plain pass gives, in less memory', async () => {
    const depth = 12;
    const [plain, again] = [run(plainly, depth), run(recompute, depth)];
    expect(await again.ops.read(again.value)).toEqual(await plain.ops.read(plain.value));
    for (const name of Object.keys(plain.gradients)) {
      expect(await again.ops.read(again.gradients[name]!), name).toEqual(await plain.ops.read(plain.gradients[name]!));
    }
    // Of about seven tensors a block, one is left; the gradients of the weights take the same in both.
    expect(again.peak).toBeLessThan(0.6 * plain.peak);
  });

  it('can be nested, and runs plainly without a tape', () => {
    const { ops, read } = float64();
    const weights = { x: ops.fromData([0.5, -1], [1, 2]), w: ops.fromData([1, 2, 3, 4], [2, 2]) };
    const nested: Block = (o, inputs) =>
      recompute(o, { ...inputs, x: recompute(o, inputs, block) }, (inner, given) => recompute(inner, given, block));
    const twice: Block = (o, inputs) => block(o, { ...inputs, x: block(o, inputs) });
    const [a, b] = [nested, twice].map((f) => {
      const { gradients, value } = valueAndGradients(ops, weights, (o, w) => o.sum(f(o, w)));
      return [value, gradients.x!, gradients.w!].map((x) => [...read(x)]);
    });
    const expected = b!.flat();
    for (const [i, x] of a!.flat().entries()) expect(x).toBeCloseTo(expected[i]!, 14);
    const before = ops.memory().tensors;
    ops.dispose(recompute(ops, weights, block));
    expect(ops.memory().tensors).toBe(before);
  });

  it('counts a tensor under two names once, leaves integers and unwatched inputs alone', () => {
    const { ops, read } = float64();
    const weights = { a: ops.fromData([1, 2, 3]) };
    const rows = ops.fromData(Int32Array.of(2, 0));
    const constant = ops.fromData([10, 20]);
    const { gradients } = valueAndGradients(ops, weights, (o, { a }) =>
      o.sum(
        recompute(o, { left: a!, right: a!, rows, constant }, (inner, { left, right, rows: at, constant: c }) =>
          inner.multiply(inner.gather(inner.multiply(left!, right!), at!), c!),
        ),
      ),
    );
    expect([...read(gradients.a!)]).toEqual([40, 0, 60]);
  });

  it('hands an input through, and frees everything where the second run throws', () => {
    const { ops, read } = float64();
    const weights = { a: ops.fromData([1, 2]) };
    const through = valueAndGradients(ops, weights, (o, { a }) => o.sum(recompute(o, { a: a! }, (_, x) => x.a!)));
    expect([...read(through.gradients.a!)]).toEqual([1, 1]);
    ops.dispose([through.value, through.gradients.a!]);
    let runs = 0;
    expect(() =>
      valueAndGradients(ops, weights, (o, { a }) =>
        o.sum(
          recompute(o, { a: a! }, (inner, x) => {
            runs += 1;
            const y = inner.exp(inner.exp(x.a!));
            if (runs === 2) throw new Error('boom');
            return y;
          }),
        ),
      ),
    ).toThrow('boom');
    expect(ops.memory().tensors).toBe(1);
  });
});

describe('tape.gradients with an upstream gradient', () => {
  it('is the vector-Jacobian product, and leaves the given gradient alone', () => {
    const { ops, read } = float64();
    const tape = createTape(ops);
    const x = tape.watch(ops.fromData([1, 2]));
    const dy = ops.fromData([3, 5]);
    const y = tape.ops.multiply(x, x);
    const { gradient } = tape.gradients(y, { gradient: x }, dy);
    expect([...read(gradient!)]).toEqual([6, 20]);
    expect(ops.isDisposed(dy)).toBe(false);
    const other = createTape(ops);
    const z = other.ops.negate(other.watch(x));
    let caught: unknown;
    try {
      other.gradients(z, { x }, ops.zeros([3]));
    } catch (error) {
      caught = error;
    }
    expect(isLmdError(caught, 'SHAPE_MISMATCH')).toBe(true);
  });
});
