import type { BlockFormat, EagerOperations, Operations } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { cpu, errorOf, key, reference, stirred } from '../test/support.js';
import {
  cacheBytesPerToken,
  cacheFormatNames,
  type GenerateOptions,
  generate,
  gpt2,
  gpt2Preset,
  precisionPreset,
} from './index.js';

const model = gpt2({ vocabularySize: 130, contextLength: 24, width: 80, depth: 2, heads: 2 });
const { mxfp8_e5m2, mxfp8_e4m3, mxfp6_e3m2, mxfp6_e2m3, mxfp4_e2m1, mxint8, nvfp4 } = formats;
const cacheFormats: readonly BlockFormat[] = [mxfp8_e5m2, mxfp8_e4m3, mxfp6_e3m2, mxfp6_e2m3, mxfp4_e2m1, mxint8];
const prompt = [3, 1, 4, 1, 5];
const backends = { reference: async () => reference('f32'), cpu };

/** The same operations, but that attention rounds keys and values to a format itself, along the head width. */
function roundingAttention(ops: EagerOperations, format: BlockFormat): Operations {
  const rounded: Operations = Object.create(ops, {
    attention: {
      value: ((query, keys, values, options) =>
        ops.scope(() => {
          // Codes have one zero.
          const round = (x: typeof keys) => ops.add(ops.fakeQuantize(x, { format, axis: -1 }), 0);
          return ops.attention(query, round(keys), round(values), options);
        })) satisfies Operations['attention'],
    },
  });
  return rounded;
}

/** Logits of every step of a greedy generation, the prompt in pieces of these lengths. */
async function logitsOf(ops: Operations, pieces: readonly number[], options: { cacheFormat?: BlockFormat } = {}) {
  const weights = stirred(ops as EagerOperations, model.initialize(ops, 7));
  const context = { precision: precisionPreset('fp32'), key, ...options };
  const tokens = Array.from({ length: 12 }, (_, i) => (i * 37 + 5) % 130);
  const logits: number[][] = [];
  let [cache, at] = [{}, 0];
  for (const length of pieces) {
    const part = ops.fromData(Int32Array.from(tokens.slice(at, at + length)), [1, length]);
    const step = model.decode(ops, weights, part, cache, context);
    ops.dispose(cache);
    cache = step.cache;
    at += length;
    logits.push(Array.from(await ops.read(step.logits)));
  }
  return logits;
}

async function textOf(options: Omit<GenerateOptions, 'model' | 'prompt'>): Promise<number[]> {
  const text: number[] = [];
  for await (const token of generate({ model, prompt, temperature: 0, ...options })) text.push(token);
  return text;
}

describe.each(Object.entries(backends))('a cache in a block format on %s', (_, open) => {
  it.each(cacheFormats)('$name: the very bits of keys and values rounded in attention', async (cacheFormat) => {
    const { ops } = await open();
    const pieces = [5, 1, 1, 1, 1, 1];
    const got = await logitsOf(ops, pieces, { cacheFormat });
    expect(got).toEqual(await logitsOf(roundingAttention(ops, cacheFormat), pieces));
    expect(got, 'it is rounded at all').not.toEqual(await logitsOf(ops, pieces));
  });

  it.each(cacheFormats)('$name generates the text of rounded keys and values, and leaves nothing', async (format) => {
    const { ops } = await open();
    const weights = stirred(ops, model.initialize(ops, 7));
    const before = ops.memory().tensors;
    const text = await textOf({ ops, weights, cacheFormat: format });
    expect(text).toHaveLength(19);
    expect(ops.memory().tensors).toBe(before);
    expect(text).toEqual(await textOf({ ops: roundingAttention(ops, format), weights }));
  });
});

describe.each(Object.entries(backends))('codes of rows on %s', (_, open) => {
  it.each(cacheFormats)('$name: values of every size, to the bit, and blocks of NaN', async (format) => {
    const { ops, read } = await open();
    const width = 70;
    const rows = Float32Array.from({ length: 6 * width }, (_, i) => {
      const row = Math.floor(i / width);
      const size = [1, 1e-30, 1e30, 2 ** -126, 0, 3e38][row]!;
      return size * Math.sin(i * i + 1) * 2 ** -(i % 9);
    });
    rows[3] = Number.NaN;
    rows[width + 40] = Number.POSITIVE_INFINITY;
    const x = ops.fromData(rows, [6, width]);
    const want = await read(ops.add(ops.fakeQuantize(x, { format, axis: -1 }), 0));
    const got = await read(ops.scope(() => ops.decodeRows(ops.encodeRows(x, format))));
    const values = Array.from(got);
    expect(values).toEqual(Array.from(want));
    expect(values.map(Number.isNaN).lastIndexOf(true), 'the block of the infinity').toBe(width + 63);
  });

  it('holds every code of a format', async () => {
    const { ops, read } = await open();
    for (const format of cacheFormats) {
      const { mantissaBits, emin, largest } = format.element;
      const step = 2 ** (emin - mantissaBits);
      // Of both signs, each block with the largest value, so that its scale is 1.
      const grid: number[] = [];
      for (
        let value = step;
        value <= largest;
        value += Math.max(step, 2 ** (Math.floor(Math.log2(value)) - mantissaBits))
      ) {
        grid.push(value, -value);
      }
      const rows = grid.flatMap((value) => [value, largest]);
      const x = ops.fromData(Float32Array.from(rows), [grid.length, 2]);
      expect(Array.from(await read(ops.decodeRows(ops.encodeRows(x, format)))), format.name).toEqual(rows);
    }
  });
});

describe('memory of the cache', () => {
  /** Bytes that prefill leaves for a token. */
  async function measured(cacheFormat: BlockFormat | undefined): Promise<number> {
    const { ops } = await cpu();
    const one = gpt2(gpt2Preset('char', { depth: 2, contextLength: 128, width: 128, heads: 2 }));
    const weights = one.initialize(ops, 1);
    const context = { precision: precisionPreset('fp32'), key, ...(cacheFormat === undefined ? {} : { cacheFormat }) };
    const tokens = ops.zeros([1, 128], 'i32');
    const before = ops.memory().bytes;
    const { logits } = one.prefill(ops, weights, tokens, context);
    ops.dispose(logits);
    const bytes = (ops.memory().bytes - before) / 128;
    expect(bytes).toBe(cacheBytesPerToken(ops, one.config, cacheFormat));
    return bytes;
  }

  it.each([
    ['mxfp4_e2m1', 0.15],
    ['mxfp6_e2m3', 0.27],
    ['mxfp6_e3m2', 0.27],
    ['mxfp8_e4m3', 0.27],
    ['mxint8', 0.27],
  ] as const)('%s takes at most %f of the bytes of f32', async (name, most) => {
    expect((await measured(formats[name])) / (await measured(undefined))).toBeLessThan(most);
  });
});

describe('cacheFormat', () => {
  const { ops } = reference('f32');
  const weights = model.initialize(ops, 1);
  const base = { ops, model, weights, prompt };

  it('takes the OCP MX formats, by the names that the command lists', () => {
    expect(cacheFormatNames).toEqual(cacheFormats.map(({ name }) => name));
  });

  it.each([
    ['a name', 'mxint8', 'INVALID_ARGUMENT'],
    ['no format', {}, 'INVALID_ARGUMENT'],
    ['a format with other scales', nvfp4, 'UNSUPPORTED'],
  ])('refuses %s at once', (_, cacheFormat, code) => {
    const refused = errorOf(() => generate({ ...base, cacheFormat: cacheFormat as BlockFormat }));
    expect(refused).toMatchObject({ code, subject: 'cacheFormat' });
    expect(refused.message).toMatch(/cacheFormat is /);
  });

  it('refuses a cache that was made without it, or with it', () => {
    const tokens = ops.fromData(Int32Array.of(1), [1, 1]);
    const plain = { precision: precisionPreset('fp32'), key };
    const encoded = { ...plain, cacheFormat: mxint8 };
    for (const [first, second] of [
      [plain, encoded],
      [encoded, plain],
    ] as const) {
      const { cache } = model.prefill(ops, weights, tokens, first);
      const refused = errorOf(() => model.decode(ops, weights, tokens, cache, second));
      expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'cacheFormat' });
    }
  });

  it('serves block formats of the activations too, where scores are those of the codes', async () => {
    const precision = precisionPreset('mxint8');
    const cached = await textOf({ ops, weights, precision, cacheFormat: mxint8 });
    expect(cached).toHaveLength(19);
    const tokens = ops.fromData(Int32Array.from(prompt), [1, prompt.length]);
    const { cache } = model.prefill(ops, weights, tokens, { precision, key, cacheFormat: mxint8 });
    const { words, scales } = { words: cache['blocks.0.codes.words']!, scales: cache['blocks.0.codes.scales']! };
    const shape = [...words.shape.slice(0, -1), 40];
    const keys = ops.decodeRows({ format: mxint8, shape, tensors: { words, scales } });
    // Rounded again, along the same axis, they are the same: the product of scores takes these codes.
    const again = ops.decodeOperand(ops.encodeOperand(keys, { format: mxint8, axis: -1 }));
    expect(await ops.read(again)).toEqual(await ops.read(keys));
  });
});
