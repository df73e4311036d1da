import { describe, expect, it } from 'vitest';
import {
  type Backend,
  compositions,
  createOperations,
  type EagerOperations,
  type FusedKernelName,
  fusedKernelNames,
  kernelFamilies,
  type Tensor,
} from '../index.js';
import { createTestBackend, e2m1 } from '../testing/index.js';

const families: readonly (readonly FusedKernelName[])[] = kernelFamilies;

describe('a fused kernel', () => {
  const ops = createOperations(createTestBackend());
  const key = { seed: 1, stream: 1, step: 0, sample: 0 };
  const make = (o: EagerOperations) => {
    const x = () => o.fromData([1, 2, 3, 4], [1, 4]);
    const four = () => o.fromData(new Float32Array(16), [1, 1, 4, 4]);
    const vector = () => o.fromData([1, 2, 3, 4]);
    const labels = () => o.fromData([1], [1], 'i32');
    const element = e2m1;
    const format = { name: 'mxfp4', element, blockSize: 32, scale: 'e8m0' };
    const operand = () => ({ format, shape: [1, 4], axis: 1, tensors: { codes: x(), scales: x() } });
    const packed = { format, shape: [1, 4], axis: 1 };
    const matrix = () => ({ ...packed, tensors: { codes: x(), scales: x() } });
    const rows = () => ({ format, shape: [1, 2, 4, 4], tensors: { codes: o.zeros([1, 2, 4, 3]) } });
    const lmdOptions = {
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.99,
      regularization: 1,
      regularizer: 'powerPrior',
      noise: 0.1,
      gradientScaling: 'sample',
      useSign: true,
    } as const;
    const laws = [
      { law: 'linear', bits: 16 },
      { law: 'square', bits: 8 },
    ] as const;
    const adamwOptions = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, step: 1 };
    const calls: Record<FusedKernelName, () => unknown> = {
      softmax: () => o.softmax(x()),
      softmaxGradient: () => o.softmaxGradient(x(), x()),
      layerNorm: () => o.layerNorm(x(), vector(), vector()),
      layerNormGradient: () => o.layerNormGradient(x(), vector(), x()),
      gelu: () => o.gelu(x()),
      geluGradient: () => o.geluGradient(x(), x(), 'tanh'),
      crossEntropy: () => o.crossEntropy(x(), labels()),
      crossEntropyGradient: () => o.crossEntropyGradient(x(), labels(), o.zeros([1])),
      attention: () => o.attention(four(), four(), four()),
      attentionGradient: () => o.attentionGradient(four(), four(), four(), four()),
      fakeQuantize: () => o.fakeQuantize(x(), { format, axis: -1 }),
      roundToBfloat16: () => o.roundToBfloat16(x()),
      lmdDraw: () => o.lmdDraw(x(), x(), 0.1, key),
      lmdUpdate: () =>
        o.lmdUpdate(
          { logPlus: x(), logMinus: x(), momentumPlus: x(), momentumMinus: x() },
          [x()],
          [key],
          o.zeros([]),
          lmdOptions,
        ),
      adamwUpdate: () => o.adamwUpdate({ weights: x(), firstMoment: x(), secondMoment: x() }, x(), adamwOptions),
      weightedSum: () => o.weightedSum(x(), 0.9, x(), 0.1),
      encodeBlocks: () => o.encodeBlocks([x(), x()], laws, [key, key]),
      decodeBlocks: () => o.decodeBlocks({ words: x(), scales: [o.zeros([]), o.zeros([])] }, laws),
      encodeOperand: () => o.encodeOperand(x(), { format, axis: -1 }).tensors,
      decodeOperand: () => o.decodeOperand(operand()),
      blockMatmul: () => o.blockMatmul(operand(), operand()),
      packMatrix: () => o.packMatrix({ ...packed, codes: new Uint8Array(2), scales: new Uint8Array(1) }).tensors,
      packedMatmul: () => o.packedMatmul(x(), matrix()),
      packedRows: () => o.packedRows(matrix(), labels()),
      decodeMatrix: () => o.decodeMatrix(matrix()),
      encodeRows: () => o.encodeRows(x(), format).tensors,
      decodeRows: () => o.decodeRows(rows()),
      codedAttention: () => o.codedAttention(four(), rows()),
    };
    return calls;
  };

  it.each(fusedKernelNames)('%s is used where there is one, and its results are owned', (name) => {
    let calls = 0;
    const inner = createTestBackend();
    const given: unknown[][] = [];
    const kernel = (...inputs: unknown[]) => {
      calls++;
      given.push(inputs);
      const fresh = () => inner.full([1], 0, 'f32');
      if (name === 'lmdUpdate')
        return { logPlus: fresh(), logMinus: fresh(), momentumPlus: fresh(), momentumMinus: fresh() };
      if (name === 'adamwUpdate') return { weights: fresh(), firstMoment: fresh(), secondMoment: fresh() };
      if (name === 'layerNormGradient') return { x: fresh(), gain: fresh(), bias: fresh() };
      if (name === 'encodeBlocks') return { words: fresh(), scales: [fresh(), fresh()] };
      if (name === 'decodeBlocks') return [fresh(), fresh()];
      if (['encodeOperand', 'packMatrix', 'encodeRows'].includes(name)) return { codes: fresh(), scales: fresh() };
      if (name === 'attentionGradient') return { query: fresh(), key: fresh(), value: fresh() };
      return fresh();
    };
    const family = families.find((names) => names.includes(name)) ?? [name];
    const backend = { ...inner, fused: Object.fromEntries(family.map((one) => [one, kernel])) } as Backend;
    const fused = createOperations(backend);
    fused.scope(() => {
      const result = make(fused)[name]() as Tensor | Record<string, Tensor | Tensor[]>;
      const tensors = 'dtype' in result ? [result as Tensor] : Object.values(result).flat();
      for (const x of tensors) {
        expect(fused.isDisposed(x)).toBe(false);
      }
    });
    expect(calls).toBe(1);
    expect(backend.memory().tensors).toBe(0);
    if (name === 'fakeQuantize')
      expect(given[0]![1]).toMatchObject({ axis: 1, rounding: 'nearestEven', scaleMode: 'floor' });
    if (name === 'decodeBlocks') expect(given[0]![2]).toEqual([0, 1]);
    if (name === 'attention') expect(given[0]![3]).toEqual({ scale: 0.5, causal: false });
    if (name === 'codedAttention') expect(given[0]![2]).toBe(0.5);
  });

  it('has a composition for each', () => {
    expect(Object.keys(compositions)).toEqual(fusedKernelNames);
    expect(Object.keys(make(ops)).sort()).toEqual([...fusedKernelNames].sort());
  });
});
