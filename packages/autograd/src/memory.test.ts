import { isLmdError, type Operations, type Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { float64 } from '../test/support.js';
import { createTape, valueAndGradients } from './index.js';

const width = 1000;
const bytes = width * 8;

describe('memory of a tape', () => {
  it('holds only saved tensors after each scope, and frees them one by one going back', () => {
    const { ops } = float64();
    const depth = 50;
    const weights = { w: ops.full([width], 1.01) };
    const block = (tape: Operations, x: Tensor, w: Tensor) =>
      tape.scope(() => tape.add(tape.tanh(tape.add(tape.multiply(x, w), 1)), x));
    const live: number[] = [];
    ops.resetPeakMemory();
    const { value, gradients } = valueAndGradients(ops, weights, (tape, { w }) => {
      let x = tape.multiply(w!, 1);
      for (let i = 0; i < depth; i++) {
        const y = block(tape, x, w!);
        tape.dispose(x);
        x = y;
        live.push(tape.memory().bytes);
      }
      return tape.sum(x);
    });
    // A block saves its input (for the product) and the tanh; the sums save nothing. Scalars are left out of account.
    const perBlock = live.slice(1).map((now, i) => Math.round((now - live[i]!) / bytes));
    expect(new Set(perBlock)).toEqual(new Set([2]));
    expect(ops.memory().peakBytes).toBeLessThan((2 * depth + 8) * bytes);
    ops.dispose(value);
    ops.dispose(gradients);
    expect(ops.memory().tensors).toBe(1);
  });

  it('holds nothing of a deep chain whose gradients need nothing', () => {
    const { ops } = float64();
    ops.resetPeakMemory();
    valueAndGradients(ops, { w: ops.zeros([width]) }, (tape, { w }) => {
      let x = tape.negate(w!);
      for (let i = 0; i < 100; i++) {
        const y = tape.add(x, 1);
        tape.dispose(x);
        x = y;
      }
      return tape.sum(x);
    });
    expect(ops.memory().peakBytes).toBeLessThan(5 * bytes);
  });

  it('frees upstream gradients as they are consumed', () => {
    const { ops } = float64();
    const tape = createTape(ops);
    const w = tape.watch(ops.zeros([width]));
    const loss = tape.ops.scope(() => {
      let x: Tensor = w;
      for (let i = 0; i < 100; i++) x = tape.ops.negate(x);
      return tape.ops.sum(x);
    });
    ops.resetPeakMemory();
    tape.gradients(loss, { w });
    expect(ops.memory().peakBytes).toBeLessThan(4 * bytes);
  });

  it('lets go of branches that lead to no result', () => {
    const { ops } = float64();
    const tape = createTape(ops);
    const w = tape.watch(ops.zeros([width]));
    const before = ops.memory().tensors;
    tape.ops.scope(() => {
      tape.ops.scope(() => tape.ops.exp(tape.ops.exp(tape.ops.multiply(w, w))));
    });
    expect(ops.memory().tensors).toBe(before);
    const y = tape.ops.exp(tape.ops.exp(w));
    tape.ops.dispose(y);
    expect(ops.memory().tensors, 'the inner exp is still in the hands of the user').toBe(before + 1);
  });

  it('keeps a saved tensor that the user freed, and refuses it to the user', () => {
    const { ops, read } = float64();
    const tape = createTape(ops);
    const x = tape.watch(ops.fromData([1, 2]));
    const y = tape.ops.exp(x);
    const loss = tape.ops.sum(y);
    tape.ops.dispose(y);
    expect(tape.ops.isDisposed(y)).toBe(true);
    expect(ops.isDisposed(y), 'the tape holds it').toBe(false);
    for (const use of [() => tape.ops.exp(y), () => tape.ops.dispose(y), () => tape.ops.read(y)]) {
      let caught: unknown;
      try {
        use();
      } catch (error) {
        caught = error;
      }
      expect(isLmdError(caught, 'TENSOR_DISPOSED')).toBe(true);
    }
    const { gradient } = tape.gradients(loss, { gradient: x });
    expect([...read(gradient!)]).toEqual([Math.E, Math.exp(2)]);
    expect(ops.isDisposed(y), 'nobody holds it').toBe(true);
  });

  it('leaves tensors to the user that both have held', () => {
    const { ops, read } = float64();
    const result = ops.scope(() => {
      const tape = createTape(ops);
      const x = tape.watch(ops.fromData([1, 2]));
      const { y, loss } = tape.ops.scope(() => {
        const inner = tape.ops.exp(tape.ops.multiply(x, 2));
        return { y: inner, loss: tape.ops.sum(inner) };
      });
      const gradients = tape.gradients(loss, { x });
      expect(read(y)[0]).toBe(Math.exp(2));
      return { y, gradients };
    });
    expect(ops.memory().tensors).toBe(2);
    ops.dispose(result.y);
    ops.dispose(result.gradients);
    expect(ops.memory().tensors).toBe(0);
  });

  it('leaves weights and batches alone, also those that it saved', () => {
    const { ops } = float64();
    const weights = { w: ops.fromData([1, 2]) };
    const batch = ops.fromData([3, 4]);
    ops.dispose(valueAndGradients(ops, weights, (tape, { w }) => tape.sum(tape.multiply(w!, batch))).gradients);
    expect(ops.isDisposed(weights.w) || ops.isDisposed(batch)).toBe(false);
  });

  it('takes over a batch that the user frees through the tape', () => {
    const { ops, read } = float64();
    const w = ops.fromData([1, 2]);
    const tape = createTape(ops);
    tape.watch(w);
    const batch = ops.fromData([3, 4]);
    const loss = tape.ops.sum(tape.ops.multiply(w, batch));
    tape.ops.dispose(batch);
    expect([...read(tape.gradients(loss, { w })['w']!)]).toEqual([3, 4]);
    expect(ops.isDisposed(batch)).toBe(true);
  });

  it('respects keep', () => {
    const { ops } = float64();
    let kept: Tensor | undefined;
    const { value, gradients } = valueAndGradients(ops, { w: ops.fromData([1, 2]) }, (tape, { w }) => {
      kept = tape.scope(() => tape.keep(tape.exp(w!)) && undefined) ?? tape.scope(() => tape.keep(tape.exp(w!)));
      return tape.sum(kept);
    });
    expect(ops.isDisposed(kept!)).toBe(false);
    expect(ops.memory().tensors, 'weight, value, gradient, and two kept').toBe(5);
    ops.dispose([value, ...Object.values(gradients), kept!]);
  });

  it('frees everything when it is disposed of without a backward pass', () => {
    const { ops } = float64();
    const w = ops.fromData([1, 2]);
    ops.scope(() => {
      const tape = createTape(ops);
      tape.watch(w);
      tape.ops.scope(() => tape.ops.sum(tape.ops.exp(tape.ops.multiply(w, w))));
      tape.dispose();
    });
    expect(ops.memory().tensors).toBe(1);
  });

  it('frees everything when the function, a rule or a custom gradient throws', () => {
    const { ops } = float64();
    const weights = { w: ops.fromData([1, 2]) };
    const boom = (): never => {
      throw new Error('boom');
    };
    const failing: ((tape: Operations, w: Tensor) => Tensor)[] = [
      (tape, w) => tape.scope(() => boom() ?? tape.exp(w)),
      (tape, w) => {
        const y = tape.scope(() => tape.exp(tape.exp(w)));
        return tape.scope(() => boom() ?? tape.exp(y));
      },
      (tape, w) => tape.sum(tape.customGradient([tape.exp(w)], { forward: (o, [x]) => o.exp(x!), backward: boom })),
      (tape, w) => tape.exp(tape.exp(w)),
    ];
    for (const f of failing) {
      expect(() => valueAndGradients(ops, weights, (tape, { w }) => f(tape, w!))).toThrow();
      expect(ops.memory().tensors).toBe(1);
    }
  });

  it('goes on after a scope that threw', () => {
    const { ops, read } = float64();
    const { gradients } = valueAndGradients(ops, { w: ops.fromData([1, 2]) }, (tape, { w }) => {
      const y = tape.scope(() => tape.multiply(w!, 3));
      try {
        tape.scope(() => {
          tape.scope(() => tape.exp(tape.exp(y)));
          throw new Error('boom');
        });
      } catch {
        // The point of this test.
      }
      return tape.sum(tape.multiply(y, y));
    });
    expect([...read(gradients['w']!)]).toEqual([18, 36]);
  });

  it('says so when a saved tensor was freed behind its back', () => {
    const { ops } = float64();
    const tape = createTape(ops);
    const w = tape.watch(ops.fromData([1, 2]));
    const y = tape.ops.exp(w);
    const loss = tape.ops.sum(y);
    ops.dispose(y);
    let caught: unknown;
    try {
      tape.gradients(loss, { w });
    } catch (error) {
      caught = error;
    }
    expect(isLmdError(caught, 'TENSOR_DISPOSED')).toBe(true);
    expect((caught as Error).message).toContain('exp');
  });
});
