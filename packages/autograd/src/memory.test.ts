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

  it('frees earlier sums and slices of gradients as soon as they are added up', () => {
    const { ops } = float64();
    const half = width / 2;
    const peakOf = (f: (tape: Operations, w: Tensor) => Tensor): number => {
      const tape = createTape(ops);
      const w = tape.watch(ops.zeros([width]));
      const loss = tape.ops.scope(() => tape.ops.sum(f(tape.ops, w)));
      const before = ops.memory().bytes;
      ops.resetPeakMemory();
      ops.dispose(tape.gradients(loss, { w }));
      return (ops.memory().peakBytes - before) / bytes;
    };
    const uses = (tape: Operations, w: Tensor) => {
      let x = w;
      for (let i = 0; i < 50; i++) x = tape.add(tape.negate(x), w);
      return x;
    };
    const cuts = (tape: Operations, w: Tensor) => {
      let x = w;
      for (let i = 0; i < 50; i++) x = tape.concatenate([tape.slice(x, [half], [half]), tape.slice(x, [0], [half])], 0);
      return x;
    };
    expect(peakOf(uses)).toBeLessThan(6);
    expect(peakOf(cuts)).toBeLessThan(6);
  });

  it('has freed, at each node going back, what the nodes after it had saved', () => {
    const { ops } = float64();
    let atBottom = 0;
    const { gradients } = valueAndGradients(ops, { w: ops.zeros([width]) }, (tape, { w }) => {
      let x = tape.customGradient([w!], {
        forward: (plain, [source]) => plain.negate(source!),
        backward(plain, dy) {
          atBottom = plain.memory().bytes / bytes;
          return [plain.negate(dy)];
        },
        saves: { inputs: [], output: false },
      });
      for (let i = 0; i < 20; i++) x = tape.tanh(x);
      return tape.sum(x);
    });
    ops.dispose(gradients);
    expect(atBottom, 'the weight and dy').toBeLessThan(2.1);
  });

  it('holds a tensor that several gradients need until the last of them', () => {
    const { ops, read } = float64();
    const { gradients } = valueAndGradients(ops, { w: ops.fromData([2, 3]) }, (tape, { w }) => {
      const products = tape.scope(() => {
        const x = tape.multiply(w!, 1);
        return [tape.multiply(x, x), tape.exp(tape.log(x)), tape.log(x)];
      });
      return tape.sum(products.reduce((a, b) => tape.add(a, b)));
    });
    expect([...read(gradients.w!)]).toEqual([4 + 1 + 1 / 2, 6 + 1 + 1 / 3]);
  });

  it('saves of a product only the factor whose partner is tracked', () => {
    const { ops } = float64();
    const tape = createTape(ops);
    const w = tape.watch(ops.zeros([width]));
    const constant = ops.zeros([width]);
    const y = tape.ops.scope(() => tape.ops.multiply(tape.ops.negate(w), constant));
    expect(ops.memory().tensors, 'w, the constant and y').toBe(3);
    ops.dispose(tape.gradients(tape.ops.sum(y), { w }));
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
    expect([...read(tape.gradients(loss, { w }).w!)]).toEqual([3, 4]);
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
        expect(ops.memory().tensors, 'w and y').toBe(2);
      }
      return tape.sum(tape.multiply(y, y));
    });
    expect([...read(gradients.w!)]).toEqual([18, 36]);
  });

  it('says so when a saved tensor was freed behind its back', () => {
    const { ops } = float64();
    const tape = createTape(ops);
    const w = tape.watch(ops.fromData([1, 2]));
    const loss = tape.ops.scope(() => {
      const y = tape.ops.exp(tape.ops.tanh(w));
      const sum = tape.ops.sum(y);
      ops.dispose(y);
      return sum;
    });
    let caught: unknown;
    try {
      tape.gradients(loss, { w });
    } catch (error) {
      caught = error;
    }
    expect(isLmdError(caught, 'TENSOR_DISPOSED')).toBe(true);
    expect((caught as Error).message).toContain('gradient of exp');
    expect(ops.memory().tensors, 'the weight and the loss: the tanh that was saved is freed').toBe(2);
  });
});
