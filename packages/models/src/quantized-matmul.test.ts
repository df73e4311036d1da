import { valueAndGradients } from '@lmd/autograd';
import type { EagerOperations, FakeQuantizeOptions, Operations, Precision, Tensor } from '@lmd/core';
import { mxfp4_e2m1, mxfp6_e2m3, mxfp6_e3m2, mxfp8_e4m3, mxint8 } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { cpu, errorOf, key, randomTensor, reference } from '../test/support.js';
import { fullPrecision, precisionPreset, quantizedMatmul } from './index.js';

const options = (precision: Precision) => ({ precision, key, product: 'test' });
const mxBothWays: Precision = {
  forward: { weights: { format: mxfp6_e3m2 }, activations: { format: mxfp6_e3m2 } },
  backward: {
    weights: { format: mxfp4_e2m1 },
    activations: { format: mxfp4_e2m1 },
    gradients: { format: mxfp6_e3m2 },
  },
};

/** x [4, 10, 70] · w [70, 40], a dy for the product, and its gradients: 70, 40 (10·4) and 10 are no multiples of 32. */
function example(precision: Precision) {
  const { ops, read } = reference('f32');
  const x = randomTensor(ops, [4, 10, 70], 1);
  const w = randomTensor(ops, [70, 40], 2);
  const dy = randomTensor(ops, [4, 10, 40], 3);
  const { gradients } = valueAndGradients(ops, { x, w }, (tape, named) =>
    tape.sum(tape.multiply(quantizedMatmul(tape, named.x!, named.w!, options(precision)), dy)),
  );
  const y = quantizedMatmul(ops, x, w, options(precision));
  const rows = (t: Tensor) => ops.reshape(t, [40, t.shape.at(-1)!]);
  const q = (t: Tensor, axis: number, format = mxfp6_e3m2) => ops.fakeQuantize(t, { format, axis });
  return { ops, read, x, w, dy, y, dx: gradients.x!, dw: gradients.w!, rows, q };
}

describe('quantizedMatmul', () => {
  it('is the product of the operands rounded along the contraction axis', () => {
    const { ops, read, x, w, y, q } = example(precisionPreset('mxfp6_e3m2'));
    expect(y.shape).toEqual([4, 10, 40]);
    expect(read(y)).toEqual(read(ops.matmul(q(x, 2), q(w, 0))));
    expect(read(y)).not.toEqual(read(ops.matmul(x, w)));
  });

  it('by default differentiates the product that ran, with dy rounded to BF16', () => {
    const { ops, read, x, w, dy, dx, dw, rows, q } = example(precisionPreset('mxfp6_e3m2'));
    const rounded = ops.roundToBfloat16(dy);
    expect(read(dx)).toEqual(read(ops.matmul(rounded, q(w, 0), { transposeB: true })));
    expect(read(dw)).toEqual(read(ops.matmul(rows(q(x, 2)), rows(rounded), { transposeA: true })));
  });

  it('with a block format backward, rounds the unrounded operands along what each backward product contracts', () => {
    const { ops, read, x, w, dy, dx, dw, rows, q } = example(mxBothWays);
    // The input gradient contracts output features; the weight gradient contracts batch and length together.
    expect(read(dx)).toEqual(read(ops.matmul(q(dy, 2), q(w, 1, mxfp4_e2m1), { transposeB: true })));
    expect(read(dw)).toEqual(read(ops.matmul(q(rows(x), 0, mxfp4_e2m1), q(rows(dy), 0), { transposeA: true })));
  });

  it('rounds everything to BF16, forward and backward', () => {
    const { ops, read, x, w, dy, y, dx, dw, rows } = example(precisionPreset('bf16'));
    const b = (t: Tensor) => ops.roundToBfloat16(t);
    expect(read(y)).toEqual(read(ops.matmul(b(x), b(w))));
    expect(read(dx)).toEqual(read(ops.matmul(b(dy), b(w), { transposeB: true })));
    expect(read(dw)).toEqual(read(ops.matmul(rows(b(x)), rows(b(dy)), { transposeA: true })));
  });

  it('rounds to BF16 backward what stayed in f32 forward', () => {
    const { ops, read, w, dy, dx } = example({
      forward: fullPrecision.forward,
      backward: { weights: 'bf16', activations: 'bf16', gradients: 'f32' },
    });
    expect(read(dx)).toEqual(read(ops.matmul(dy, ops.roundToBfloat16(w), { transposeB: true })));
  });

  it('is the plain product where nothing is rounded', () => {
    const { ops } = reference('f32');
    const called: string[] = [];
    const watching = (o: EagerOperations): Operations =>
      new Proxy(o, {
        get(target, name) {
          called.push(String(name));
          return Reflect.get(target, name);
        },
      });
    const [x, w] = [randomTensor(ops, [4, 10], 1), randomTensor(ops, [10, 3], 2)];
    quantizedMatmul(watching(ops), x, w, options(fullPrecision));
    expect(called).toEqual(['matmul']);
  });

  for (const transposeB of [false, true]) {
    it(`rounds activations of batched products along their own axes${transposeB ? ', second transposed' : ''}`, () => {
      const { ops, read } = reference('f32');
      const a = randomTensor(ops, [2, 3, 5, 40], 1);
      const b = randomTensor(ops, transposeB ? [2, 3, 6, 40] : [2, 3, 40, 6], 2);
      const dy = randomTensor(ops, [2, 3, 5, 6], 3);
      const product = (precision: Precision) => (o: Operations, x: Tensor, y: Tensor) =>
        quantizedMatmul(o, x, y, { ...options(precision), second: 'activations', transposeB });
      const along = (rows: 'rows' | 'columns') => ((rows === 'rows') === transposeB ? 3 : 2);
      const q = (t: Tensor, axis: number, format = mxfp6_e3m2) => ops.fakeQuantize(t, { format, axis });
      const run = (precision: Precision) => {
        const { gradients } = valueAndGradients(ops, { a, b }, (tape, named) =>
          tape.sum(tape.multiply(product(precision)(tape, named.a!, named.b!), dy)),
        );
        return { y: product(precision)(ops, a, b), da: gradients.a!, db: gradients.b! };
      };
      const turn = (t: Tensor) => (transposeB ? ops.transpose(t) : t);

      const forward = run(precisionPreset('mxfp6_e3m2'));
      const rounded = ops.roundToBfloat16(dy);
      const inner = along('rows');
      expect(read(forward.y)).toEqual(read(ops.matmul(q(a, 3), q(b, inner), { transposeB })));
      expect(read(forward.da)).toEqual(read(ops.matmul(rounded, q(b, inner), { transposeB: !transposeB })));
      expect(read(forward.db)).toEqual(read(turn(ops.matmul(q(a, 3), rounded, { transposeA: true }))));

      const both = run(mxBothWays);
      expect(read(both.da)).toEqual(
        read(ops.matmul(q(dy, 3), q(b, along('columns'), mxfp4_e2m1), { transposeB: !transposeB })),
      );
      expect(read(both.db)).toEqual(read(turn(ops.matmul(q(a, 2, mxfp4_e2m1), q(dy, 2), { transposeA: true }))));
    });
  }

  it('has the same bits on every backend where products are exact, forward and backward', async () => {
    const { ops: other, read: readOther } = await cpu();
    const { ops, read } = reference('f32');
    const e2m3 = { format: mxfp6_e2m3 };
    const exact: Precision = {
      forward: { weights: { format: mxfp4_e2m1 }, activations: e2m3 },
      backward: { weights: e2m3, activations: { format: mxint8 }, gradients: { format: mxfp6_e3m2 } },
    };
    const [shapeX, shapeB] = [
      [3, 40, 200],
      [200, 70],
    ];
    for (const [shape, second, transposeB] of [
      [shapeB!, 'weights', false],
      [[70, 200], 'weights', true],
      [[3, 200, 70], 'activations', false],
      [[3, 70, 200], 'activations', true],
    ] as const) {
      const random = (stream: number, of: readonly number[]) =>
        // Far apart in size, so that the order of a sum shows.
        Float32Array.from(read(randomTensor(ops, of, stream)), (v, i) => v * 2 ** ((Math.floor(i / 32) * 7) % 23));
      const data = { x: random(1, shapeX!), b: random(2, shape), dy: random(3, [3, 40, 70]) };
      const run = (on: EagerOperations) => {
        const [x, b, dy] = [
          on.fromData(data.x, shapeX!),
          on.fromData(data.b, shape),
          on.fromData(data.dy, [3, 40, 70]),
        ];
        const settings = { ...options(exact), second, transposeB };
        const { gradients } = valueAndGradients(on, { x, b }, (tape, named) =>
          tape.sum(tape.multiply(quantizedMatmul(tape, named.x!, named.b!, settings), dy)),
        );
        return [quantizedMatmul(on, x, b, settings), gradients.x!, gradients.b!];
      };
      const [want, got] = [run(ops), run(other)];
      for (const [i, x] of got.entries()) expect(Array.from(await readOther(x))).toEqual(Array.from(read(want[i]!)));
      // Not those of the rounded operands' f32 product.
      const rounded = other.scope(() => {
        const x = other.fakeQuantize(other.fromData(data.x, shapeX!), { format: mxfp6_e2m3, axis: -1 });
        const b = other.fromData(data.b, shape);
        return other.matmul(x, other.fakeQuantize(b, { format: mxfp4_e2m1, axis: transposeB ? -1 : -2 }), {
          transposeB,
        });
      });
      expect(await readOther(rounded)).not.toEqual(await readOther(got[0]!));
    }
  });

  it('keeps the product of rounded operands where one format is too wide, or the backend has no kernels', () => {
    const { ops, read, x, w, q } = example(precisionPreset('mxfp8_e4m3'));
    const product = (on: Operations, precision: Precision) => read(quantizedMatmul(on, x, w, options(precision)));
    expect(product(ops, precisionPreset('mxfp8_e4m3'))).toEqual(
      read(ops.matmul(q(x, 2, mxfp8_e4m3), q(w, 0, mxfp8_e4m3))),
    );
    const without: Operations = { ...ops, backend: { ...ops.backend, fused: {} } };
    const called: string[] = [];
    const spy: Operations = {
      ...without,
      encodeOperand(...given) {
        called.push('encodeOperand');
        return ops.encodeOperand(...given);
      },
    };
    expect(product(spy, precisionPreset('mxfp6_e2m3'))).toEqual(
      read(ops.matmul(q(x, 2, mxfp6_e2m3), q(w, 0, mxfp6_e2m3))),
    );
    expect(called).toEqual([]);
  });

  it('names the noise of stochastic rounding by pass, product and operand', () => {
    const { ops } = reference('f32');
    const seen: NonNullable<FakeQuantizeOptions['key']>[] = [];
    const stochastic = { format: mxfp6_e3m2, rounding: 'stochastic' } as const;
    const precision: Precision = {
      forward: { weights: stochastic, activations: stochastic },
      backward: { weights: stochastic, activations: stochastic, gradients: stochastic },
    };
    const spy: EagerOperations = {
      ...ops,
      fakeQuantize(x, quantize) {
        seen.push(quantize.key!);
        return ops.fakeQuantize(x, quantize);
      },
      encodeOperand(x, quantize) {
        seen.push(quantize.key!);
        return ops.encodeOperand(x, quantize);
      },
    };
    const weights = { x: randomTensor(ops, [4, 40], 1), w: randomTensor(ops, [40, 3], 2) };
    const pass = (product: string) =>
      valueAndGradients(spy, weights, (tape, { x, w }) =>
        tape.sum(quantizedMatmul(tape, x!, w!, { ...options(precision), product })),
      );
    pass('one');
    expect(seen.length).toBe(6);
    expect(seen.every(({ seed, step, sample }) => seed === 1 && step === 2 && sample === 3)).toBe(true);
    pass('two');
    expect(new Set(seen.map(({ stream }) => stream)).size).toBe(12);
    pass('one');
    expect(seen.slice(12)).toEqual(seen.slice(0, 6));
  });

  it('rounds dy to BF16 once for both backward products', () => {
    const { ops } = reference('f32');
    let roundings = 0;
    const counting: EagerOperations = {
      ...ops,
      roundToBfloat16(x) {
        roundings++;
        return ops.roundToBfloat16(x);
      },
    };
    const weights = { x: randomTensor(ops, [4, 40], 1), w: randomTensor(ops, [40, 3], 2) };
    valueAndGradients(counting, weights, (tape, { x, w }) =>
      tape.sum(quantizedMatmul(tape, x!, w!, options(precisionPreset('mxfp6_e3m2')))),
    );
    expect(roundings).toBe(1);
  });

  it.each([1, 2, 7])('has the gradients of rounded operands to the bit, from %i rows', async (rows) => {
    const { ops } = await cpu();
    const weights = { x: randomTensor(ops, [rows, 40], 1), w: randomTensor(ops, [40, 30], 2) };
    const scale = randomTensor(ops, [rows, 30], 3);
    const { gradients } = valueAndGradients(ops, weights, (tape, { x, w }) =>
      tape.sum(tape.multiply(quantizedMatmul(tape, x!, w!, options(precisionPreset('mxfp6_e2m3'))), scale)),
    );
    const dy = ops.roundToBfloat16(scale);
    const x = ops.fakeQuantize(weights.x, { format: mxfp6_e2m3, axis: 1 });
    const w = ops.fakeQuantize(weights.w, { format: mxfp6_e2m3, axis: 0 });
    expect(await ops.read(gradients.x!)).toEqual(await ops.read(ops.matmul(dy, w, { transposeB: true })));
    expect(await ops.read(gradients.w!)).toEqual(await ops.read(ops.matmul(x, dy, { transposeA: true })));
  });

  it('saves rounded activations and of the weights nothing, or the codes of both', async () => {
    const { ops } = await cpu();
    const weights = { x: randomTensor(ops, [64, 40], 1), w: randomTensor(ops, [40, 30], 2) };
    const held = (precision: Precision) => {
      const before = ops.memory().bytes;
      let bytes = 0;
      const result = valueAndGradients(ops, weights, (tape, { x, w }) => {
        const y = tape.scope(() => quantizedMatmul(tape, tape.negate(x!), w!, options(precision)));
        const loss = tape.sum(y);
        tape.dispose(y);
        bytes = tape.memory().bytes - before - 4;
        return loss;
      });
      ops.dispose(result.value);
      ops.dispose(result.gradients);
      return bytes;
    };
    // One copy of the activations, rounded or not; y is let go of.
    expect(held(fullPrecision)).toBe(64 * 40 * 4);
    expect(held(precisionPreset('mxfp8_e4m3'))).toBe(64 * 40 * 4);
    expect(held(mxBothWays)).toBe(64 * 40 * 4);
    // Codes of x and w in rows of 48, of one byte or of two, and two scales a row.
    expect(held(precisionPreset('mxfp6_e2m3'))).toBe((64 + 30) * (48 + 2));
    expect(held(precisionPreset('mxfp6_e3m2'))).toBe((64 + 30) * (96 + 2));
  });

  it('refuses operands and precisions that it cannot use, by name', () => {
    const { ops } = reference('f32');
    const call = (a: number[], b: number[], precision: Precision) => () =>
      quantizedMatmul(ops, ops.zeros(a), ops.zeros(b), options(precision));
    expect(errorOf(call([3, 4], [2, 4, 5], fullPrecision))).toMatchObject({ code: 'SHAPE_MISMATCH', subject: 'test' });
    const wrong = { ...fullPrecision, forward: { weights: 'f16', activations: 'f32' } } as unknown as Precision;
    expect(errorOf(call([3, 4], [4, 5], wrong))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(errorOf(call([3, 4], [4, 5], wrong)).message).toContain('f16');
    expect(errorOf(() => precisionPreset('fp8'))).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'precision' });
    expect(errorOf(() => precisionPreset('fp8')).message).toContain('mxfp6_e3m2');
  });
});
