import { canPackMatrix, type NamedTensors, type PackedMatrices, type PackedMatrix, type Tensor } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { cpu, key, reference, stirred } from '../test/support.js';
import { generate, gpt2, packWeights, precisionPreset } from './index.js';

const model = gpt2({ vocabularySize: 130, contextLength: 12, width: 64, depth: 2, heads: 2 });
const backends = { reference: async () => reference('f32'), cpu };

/** The f32 weights that packed ones stand for. */
function decoded(ops: Awaited<ReturnType<typeof cpu>>['ops'], weights: NamedTensors, packed: PackedMatrices) {
  const values = (matrix: PackedMatrix): Tensor => {
    const rows = ops.decodeMatrix(matrix);
    return matrix.axis === 1 ? rows : ops.transpose(rows);
  };
  const matrices = Object.entries(packed).map(([name, matrix]) => [name, values(matrix)]);
  return { ...weights, ...Object.fromEntries(matrices) } as NamedTensors;
}

describe.each(Object.entries(backends))('packed weights on %s', (_, open) => {
  it.each(Object.values(formats))('$name gives the logits of the values that it stands for', async (format) => {
    const { ops, read } = await open();
    const weights = stirred(ops, model.initialize(ops, 7));
    const packed = await packWeights(ops, model, weights, { format });
    expect(Object.keys(packed.packedWeights)).toHaveLength(9);
    const plain = decoded(ops, packed.weights, packed.packedWeights);
    const context = { precision: precisionPreset('fp32'), key };
    for (const prompt of [[3], [3, 1, 4, 1, 5, 9, 2, 6]]) {
      const tokens = ops.fromData(Int32Array.from(prompt), [1, prompt.length]);
      const want = await read(model.prefill(ops, plain, tokens, context).logits);
      const { packedWeights } = packed;
      const got = await read(model.prefill(ops, packed.weights, tokens, { ...context, packedWeights }).logits);
      const size = Math.max(...Array.from(want, Math.abs));
      for (let i = 0; i < want.length; i++) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(1e-5 * size);
    }
  });

  it.each(['mxfp4_e2m1', 'mxfp6_e3m2', 'mxint8'])('%s beside encoded activations: the very bits', async (name) => {
    const { ops, read } = await open();
    const weights = stirred(ops, model.initialize(ops, 7));
    const { format } = precisionPreset(name).forward.weights as { format: (typeof formats)['mxint8'] };
    const packed = await packWeights(ops, model, weights, { format });
    const tokens = ops.fromData(Int32Array.of(3, 1, 4), [1, 3]);
    // The embedding is looked up as it is where weights are rounded in the product alone.
    const embedding = 'tokenEmbedding.weight';
    const plain = { ...weights, [embedding]: decoded(ops, packed.weights, packed.packedWeights)[embedding]! };
    const context = { precision: precisionPreset(name), key };
    const want = await read(model.prefill(ops, plain, tokens, context).logits);
    const { packedWeights } = packed;
    const got = await read(model.prefill(ops, packed.weights, tokens, { ...context, packedWeights }).logits);
    expect(Array.from(got)).toEqual(Array.from(want));
  });

  it('generate the text of the values that they stand for, and leave nothing behind', async () => {
    const { ops } = await open();
    const weights = stirred(ops, model.initialize(ops, 7));
    const packed = await packWeights(ops, model, weights, { format: formats.mxfp4_e2m1 });
    const plain = decoded(ops, packed.weights, packed.packedWeights);
    const before = ops.memory().tensors;
    const text = async (options: { weights: NamedTensors; packedWeights?: PackedMatrices }) => {
      const tokens: number[] = [];
      const base = { ops, model, prompt: [3, 1, 4], temperature: 0, maxTokens: 12 };
      for await (const token of generate({ ...base, ...options })) tokens.push(token);
      return tokens;
    };
    expect(await text(packed)).toEqual(await text({ weights: plain }));
    expect(ops.memory().tensors).toBe(before);
  });
});

describe('packWeights', () => {
  it('takes at most 0.16 of the bytes of f32 in MXFP4, and refuses what cannot be packed', async () => {
    const { ops } = await cpu();
    const wide = gpt2({ vocabularySize: 2000, contextLength: 16, width: 256, depth: 2, heads: 2 });
    const weights = wide.initialize(ops, 1);
    const { bytes } = ops.memory();
    const packed = await packWeights(ops, wide, weights, { format: formats.mxfp4_e2m1 });
    ops.dispose(Object.values(weights).filter((x) => !Object.values(packed.weights).includes(x)));
    expect(ops.memory().bytes / bytes).toBeLessThan(0.16);
    const odd = { ...formats.mxfp4_e2m1, name: 'odd', blockSize: 24 };
    expect(canPackMatrix(odd)).toBe(false);
    const { tensors } = ops.memory();
    await expect(packWeights(ops, wide, weights, { format: odd })).rejects.toThrow(/odd/);
    expect(ops.memory().tensors).toBe(tensors);
  });
});
