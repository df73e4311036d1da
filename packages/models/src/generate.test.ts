import { isLmdError, type NamedTensors, type OperandPrecision } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { errorOf, key, reference, stirred } from '../test/support.js';
import { type GenerateOptions, generate, gpt2, precisionPreset } from './index.js';
import { roundWeights } from './rounded-weights.js';

const { ops, read } = reference('f32');
const model = gpt2({ vocabularySize: 13, contextLength: 12, width: 16, depth: 2, heads: 2 });
const weights = stirred(ops, model.initialize(ops, 7));
const base = { ops, model, weights, prompt: [3, 1, 4] };

async function textOf(options: Partial<GenerateOptions>): Promise<number[]> {
  const before = ops.memory().tensors;
  const text: number[] = [];
  for await (const token of generate({ ...base, ...options })) text.push(token);
  expect(ops.memory().tensors, 'nothing is left behind').toBe(before);
  return text;
}

describe('generate', () => {
  it('takes the most likely token at temperature 0, as the full forward pass has it', async () => {
    const text = await textOf({ temperature: 0 });
    expect(text).toHaveLength(9);
    const tokens = [...base.prompt, ...text];
    const precision = precisionPreset('fp32');
    text.forEach((token, i) => {
      const length = base.prompt.length + i;
      const logits = ops.scope(() => {
        const input = ops.fromData(Int32Array.from(tokens.slice(0, length)), [1, length]);
        return read(model.forward(ops, weights, input, { training: false, precision, key }));
      });
      const last = [...logits.subarray((length - 1) * 13)];
      expect(token).toBe(last.indexOf(Math.max(...last)));
    });
  });

  it.each([2, 12, 20])('crops the text beyond the context, as nanoGPT does: a prompt of %i tokens', async (length) => {
    const prompt = Array.from({ length }, (_, i) => (3 * i + 1) % 13);
    const text = await textOf({ temperature: 0, prompt, maxTokens: 15 });
    expect(text).toHaveLength(15);
    const tokens = [...prompt, ...text];
    const precision = precisionPreset('fp32');
    text.forEach((token, i) => {
      const seen = tokens.slice(0, length + i).slice(-12);
      const logits = ops.scope(() => {
        const input = ops.fromData(Int32Array.from(seen), [1, seen.length]);
        return read(model.forward(ops, weights, input, { training: false, precision, key }));
      });
      const last = [...logits.subarray((seen.length - 1) * 13)];
      expect(token, `token ${i}`).toBe(last.indexOf(Math.max(...last)));
    });
    expect(await textOf({ seed: 3, prompt, maxTokens: 15 })).toEqual(await textOf({ seed: 3, prompt, maxTokens: 15 }));
  });

  it('never draws a row by which the embedding is padded', async () => {
    // Row 12 wins by far: its logit is the largest at every position.
    const row = ops.fromData(
      Int32Array.from({ length: 13 }, (_, i) => (i === 12 ? 1 : 0)),
      [13, 1],
    );
    const table = ops.where(ops.greater(row, 0), 50, ops.full([13, 16], 0.01));
    const padded: NamedTensors = {
      ...weights,
      'tokenEmbedding.weight': table,
      'norm.gain': ops.full([16], 0),
      'norm.bias': ops.full([16], 1),
    };
    expect(await textOf({ weights: padded, temperature: 0, maxTokens: 3 })).toEqual([12, 12, 12]);
    for (const sampling of [
      { temperature: 0 },
      {},
      { topK: 1 },
      { topP: 0.1 },
      { temperature: 0, repetitionPenalty: 2 },
    ]) {
      const text = await textOf({ weights: padded, vocabularySize: 12, ...sampling });
      expect(text).toHaveLength(9);
      expect(Math.max(...text)).toBeLessThan(12);
    }
  });

  it('is a function of the seed', async () => {
    const text = await textOf({ seed: 5 });
    expect(await textOf({ seed: 5 })).toEqual(text);
    const texts = new Set([text.join()]);
    for (const seed of [6, 7, 8]) texts.add((await textOf({ seed })).join());
    expect(texts.size).toBe(4);
  });

  it('repeats itself less under a penalty, which counts the prompt too', async () => {
    const distinct = async (options: Partial<GenerateOptions>) =>
      new Set([...base.prompt, ...(await textOf({ temperature: 0, ...options }))]).size;
    expect(await distinct({ repetitionPenalty: 1e6 })).toBeGreaterThan(await distinct({}));
    const [first] = await textOf({ temperature: 0, maxTokens: 1 });
    const [other] = await textOf({
      ...{ temperature: 0, maxTokens: 1, repetitionPenalty: 1e6 },
      prompt: [first!, ...base.prompt.slice(1)],
    });
    expect(other).not.toBe(first);
  });

  it('ends at maxTokens, at a stop token, and where it is left', async () => {
    const text = await textOf({ seed: 5 });
    expect(await textOf({ seed: 5, maxTokens: 4 })).toEqual(text.slice(0, 4));
    expect(await textOf({ maxTokens: 0 })).toEqual([]);
    expect(await textOf({ seed: 5, stop: [text[3]!] })).toEqual(text.slice(0, text.indexOf(text[3]!)));
    expect(await textOf({ prompt: Array.from({ length: 12 }, () => 1) })).toHaveLength(12);
    const before = ops.memory().tensors;
    for await (const token of generate(base)) {
      expect(token).toBeLessThan(13);
      break;
    }
    expect(ops.memory().tensors).toBe(before);
  });

  it.each(['bf16', 'mxfp6_e3m2', 'mxfp4_e2m1'])(
    'rounds the weights once, with the bits of each time, in %s',
    (name) => {
      const context = { precision: precisionPreset(name), key };
      for (const quantizeHead of [true, false]) {
        const other = gpt2({ ...model.config, quantizeHead });
        const tokens = ops.fromData(Int32Array.from(base.prompt), [1, 3]);
        const rounded = roundWeights(ops, other, weights, context.precision);
        // Codes and scales of each matrix, or a rounded copy.
        expect(rounded.owned).toHaveLength((8 + (quantizeHead ? 1 : 0)) * (name === 'bf16' ? 1 : 2));
        const { precision, encodedWeights } = rounded;
        const once = other.prefill(ops, rounded.weights, tokens, { ...context, precision, encodedWeights });
        expect(read(once.logits)).toEqual(read(other.prefill(ops, weights, tokens, context).logits));
      }
    },
  );

  it('runs in low precision, with noise in the rounding too', async () => {
    const precision = precisionPreset('mxfp6_e3m2');
    expect(await textOf({ precision })).toHaveLength(9);
    const nearest = precision.forward.weights as Exclude<OperandPrecision, string>;
    const weights = { ...nearest, rounding: 'stochastic' as const };
    expect(await textOf({ precision: { ...precision, forward: { ...precision.forward, weights } } })).toHaveLength(9);
  });

  it('refuses what does not fit the model, at once', () => {
    for (const [change, code, subject] of [
      [{ prompt: [] }, 'INVALID_ARGUMENT', 'prompt'],
      [{ prompt: [13] }, 'INVALID_ARGUMENT', 'token'],
      [{ stop: [-1] }, 'INVALID_ARGUMENT', 'token'],
      [{ maxTokens: 0.5 }, 'INVALID_ARGUMENT', 'maxTokens'],
      [{ vocabularySize: 14 }, 'INVALID_ARGUMENT', 'vocabularySize'],
      [{ vocabularySize: 4, prompt: [4] }, 'INVALID_ARGUMENT', 'token'],
      [{ vocabularySize: 4, stop: [4] }, 'INVALID_ARGUMENT', 'token'],
      [{ temperature: -1 }, 'INVALID_ARGUMENT', 'temperature'],
      [{ topK: 0 }, 'INVALID_ARGUMENT', 'topK'],
      [{ topP: 0 }, 'INVALID_ARGUMENT', 'topP'],
      [{ repetitionPenalty: 0 }, 'INVALID_ARGUMENT', 'repetitionPenalty'],
      [{ seed: 0.5 }, 'INVALID_ARGUMENT', 'seed'],
      [{ beams: 4 }, 'UNKNOWN_OPTION', 'beams'],
    ] as const) {
      expect(errorOf(() => generate({ ...base, ...change }))).toMatchObject({ code, subject });
    }
  });

  it('says so where the weights have diverged, and frees everything', async () => {
    const broken: NamedTensors = { ...weights, 'norm.bias': ops.full([16], Number.NaN) };
    const before = ops.memory().tensors;
    let caught: unknown;
    try {
      await generate({ ...base, weights: broken }).next();
    } catch (error) {
      caught = error;
    }
    expect(isLmdError(caught, 'NON_FINITE')).toBe(true);
    expect(ops.memory().tensors).toBe(before);
  });
});
