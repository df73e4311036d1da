import { describe, expect, it } from 'vitest';
import { accumulateGradients, adamw, type NamedTensors, scaleGradients } from '../index.js';
import { allValues, expectClose, pass, randomNumbers, tensors, testOperations, values } from './test-support.js';

describe('gradient accumulation', () => {
  it('over micro-batches equals one large batch', async () => {
    // Least squares: loss = mean over rows of ½(x·w − y)², so the gradient is the mean of x(x·w − y).
    const ops = testOperations();
    const random = randomNumbers(3);
    const rows = Array.from({ length: 12 }, () => ({
      x: [random() - 0.5, random() - 0.5, random() - 0.5],
      y: random(),
    }));
    const weight = [0.3, -0.2, 0.5];
    const gradientOf = (batch: typeof rows): Record<string, number[]> => ({
      w: weight.map((_, i) => {
        const sum = batch.reduce(
          (total, { x, y }) => total + x[i]! * (x.reduce((dot, value, k) => dot + value * weight[k]!, 0) - y),
          0,
        );
        return sum / batch.length;
      }),
    });

    let running: NamedTensors | undefined;
    for (let start = 0; start < 12; start += 3) {
      running = accumulateGradients(ops, running, tensors(ops, gradientOf(rows.slice(start, start + 3))));
      expect(ops.memory().tensors).toBe(1);
    }
    const mean = scaleGradients(ops, running!, 1 / 4);
    expect(ops.memory().tensors).toBe(1);
    expectClose(await values(ops, mean.w!), gradientOf(rows).w!, 1e-6);

    const rule = adamw();
    const state = await rule.init(ops, tensors(ops, { w: weight }));
    const accumulated = rule.update(ops, state, [pass(mean)]);
    const large = rule.update(ops, state, [pass(tensors(ops, gradientOf(rows)))]);
    expectClose(
      await values(ops, accumulated.tensors['w/weight']!),
      await values(ops, large.tensors['w/weight']!),
      1e-6,
    );
  });

  it('holds no more than the sum, the new gradients and one tensor', () => {
    const ops = testOperations();
    const size = 1000;
    const make = () => Object.fromEntries([...'abcd'].map((name) => [name, ops.full([size], 1)]));
    const running = make();
    const more = make();
    const bytes = ops.memory().bytes / 8;
    ops.resetPeakMemory();
    accumulateGradients(ops, running, more);
    expect(ops.memory().peakBytes).toBe(9 * bytes);
    expect(ops.memory().bytes).toBe(4 * bytes);
  });

  it('refuses other weights or shapes, and then frees nothing', async () => {
    const ops = testOperations();
    const running = tensors(ops, { a: [1], b: [2, 3] });
    const attempts: [Record<string, readonly number[]>, RegExp][] = [
      [{ a: [1] }, /the new gradients have no weight "b"/],
      [{ a: [1], b: [1, 1], c: [1] }, /the running sum have no weight "c"/],
      [{ a: [1], b: [1] }, /"b" has shape \[1\], the sum \[2\]/],
    ];
    for (const [gradients, message] of attempts) {
      const given = tensors(ops, gradients);
      expect(() => accumulateGradients(ops, running, given)).toThrow(message);
      expect(await allValues(ops, given)).toEqual(gradients);
    }
    expect(await allValues(ops, running)).toEqual({ a: [1], b: [2, 3] });
  });

  it.each([Number.NaN, Infinity, '1'])('refuses the factor %s', (factor) => {
    expect(() => scaleGradients(testOperations(), {}, factor as never)).toThrow(/scaleGradients: factor is/);
  });
});
