import { isLmdError, type Operations, type Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { expectGradients, float64 } from '../../test/support.js';
import { valueAndGradients } from '../value-and-gradients.js';

describe('fused kernels', () => {
  it('softmax', () => {
    for (const shape of [[5], [2, 3, 4]]) expectGradients((ops, x) => ops.softmax(x), [{ shape }]);
  });
  it('layerNorm', () => {
    const inputs = [{ shape: [2, 3, 5] }, { shape: [5] }, { shape: [5] }];
    expectGradients((ops, x, gain, bias) => ops.layerNorm(x, gain, bias, 1e-3), inputs);
    expectGradients((ops, x, gain, bias) => ops.layerNorm(x, gain, bias), inputs);
  });
  it('layerNorm with constant gain, or with a constant input', () => {
    const constant = (ops: Operations) => ops.fromData([1, 2, 3, 5, 4]);
    expectGradients((ops, x) => ops.layerNorm(x, constant(ops), constant(ops)), [{ shape: [3, 5] }]);
    expectGradients((ops, gain, bias) => ops.layerNorm(constant(ops), gain, bias), [{ shape: [5] }, { shape: [5] }]);
  });
  it('gelu, both kinds', () => {
    expectGradients((ops, x) => ops.gelu(x), [{ shape: [3, 4] }]);
    expectGradients((ops, x) => ops.gelu(x, 'none'), [{ shape: [3, 4] }]);
    expectGradients((ops, x) => ops.gelu(x, 'tanh'), [{ shape: [3, 4] }]);
  });
  it('crossEntropy', () => {
    expectGradients((ops, x) => ops.crossEntropy(x, ops.fromData(Int32Array.of(4, 0, 2))), [{ shape: [3, 5] }]);
  });
  it('attention, causal or not, with values of another width', () => {
    const [query, value] = [{ shape: [2, 2, 3, 4] }, { shape: [2, 2, 3, 5] }];
    for (const causal of [false, true]) {
      expectGradients((ops, q, k, v) => ops.attention(q, k, v, { causal, scale: 0.7 }), [query, query, value]);
    }
    expectGradients((ops, q, k, v) => ops.attention(q, k, v), [query, query, query]);
    expectGradients((ops, x) => ops.attention(x, x, x), [query]);
  });
});

describe('rounding', () => {
  it('is refused where a gradient would have to pass', () => {
    const { ops } = float64();
    const weights = { x: ops.fromData([1, 2], [1, 2]) };
    for (const round of [
      (tape: Operations, x: Tensor) => tape.roundToBfloat16(x),
      (tape: Operations, x: Tensor) => tape.fakeQuantize(x, { format: mxfp4, axis: 0 }),
      (tape: Operations, x: Tensor) => tape.decodeOperand(tape.encodeOperand(x, { format: mxfp4, axis: 1 })),
      (tape: Operations, x: Tensor) => tape.decodeRows(tape.encodeRows(x, mxfp4)),
    ]) {
      let caught: unknown;
      try {
        valueAndGradients(ops, weights, (tape, w) => tape.sum(round(tape, w.x!)));
      } catch (error) {
        caught = error;
      }
      expect(isLmdError(caught, 'UNSUPPORTED')).toBe(true);
      expect((caught as Error).message).toContain('customGradient');
    }
    expect(ops.memory().tensors).toBe(1);
  });

  it('takes encoded operands of what is not tracked, and frees them with its scopes', () => {
    const { ops, read } = float64();
    const x = ops.fromData([1, 2], [1, 2]);
    const { value, gradients } = valueAndGradients(ops, { x }, (tape, w) => {
      const y = tape.scope(() => {
        const operand = tape.encodeOperand(ops.keep(ops.fromData([3, 4], [1, 2])), { format: mxfp4, axis: 1 });
        return tape.multiply(w.x!, tape.blockMatmul(operand, operand));
      });
      return tape.sum(y);
    });
    expect(read(value)[0]).toBe(75);
    expect([...read(gradients.x!)]).toEqual([25, 25]);
    // x, the source of the operand, the loss and the gradient.
    expect(ops.memory().tensors).toBe(4);
  });

  it('is allowed on constants', () => {
    expectGradients((ops, x) => ops.multiply(x, ops.roundToBfloat16(ops.fromData([1.001, 2.002]))), [{ shape: [2] }]);
  });
});

const mxfp4 = {
  name: 'mxfp4_e2m1',
  element: {
    name: 'e2m1',
    kind: 'float',
    bits: 4,
    exponentBits: 2,
    mantissaBits: 1,
    bias: 1,
    emax: 2,
    emin: 0,
    largest: 6,
    hasInfinity: false,
    hasNaN: false,
  },
  blockSize: 32,
  scale: 'e8m0',
} as const;
