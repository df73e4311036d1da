import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { gpt2, mergeAdapters, vit } from '@lmd/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialTensors, outcome, type Tensors, writeExported, writeTensors } from '../../test/support.js';
import { modelOf } from '../model-file.js';
import { readJson } from './json.js';
import { openModelFile } from './model-files.js';

const folder = join(tmpdir(), `lmd-model-file-${process.pid}`);
const at = (...path: string[]) => join(folder, ...path);
const ops = createOperations(createReferenceBackend());
beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Opens a file, and reads all that it says. */
async function readModel(path: string): Promise<void> {
  const file = await openModelFile(path);
  try {
    const model = modelOf(file.describe());
    if (model !== undefined) ops.dispose(await file.weights(ops, model));
  } finally {
    await file.close();
  }
}

const small = { vocabularySize: 4, contextLength: 2, width: 4, depth: 1, heads: 1 };
const tensors = await initialTensors(gpt2(small));
const timm = vit({ imageSize: 8, channels: 1, classes: 4, patchSize: 4, width: 16, depth: 1, heads: 2 });
const gpt2Folder = (name: string, json: object | string = {}) =>
  writeExported(at(name), gpt2(small), 'transformers', json);
const own = (metadata: { [name: string]: string }, change: (tensors: Tensors) => Tensors = (tensors) => tensors) => {
  const { config } = gpt2(small);
  const usual = { format: 'lmd-model-v1', architecture: 'gpt2', config: JSON.stringify(config) };
  return writeTensors(at('own.safetensors'), change(tensors), { ...usual, ...metadata });
};

/** Values that JSON of another hand may have in the place of any value. */
const strange: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e9, 1e300, 2 ** 53, '', 'text', '__proto__', [], [0], [[]], {}, { a: 1 }],
  ...[{ toString: 1 }, { length: -1 }, { name: null }, [null, 1], 'gelu', 'lora', '0'.repeat(300)],
];

/**
 * Another generator than the tests' own `Math.random`: the same inputs on every machine (mulberry32, T. Ettinger,
 * public domain).
 */
function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** One value, deep or shallow, replaced, removed or added; or the text itself cut or changed. */
function mutated(json: unknown, below: (limit: number) => number): string {
  const copy = structuredClone(json);
  for (let changes = 1 + below(3); changes > 0; changes--) {
    let container = copy as { [name: string]: unknown };
    for (let depth = below(3); depth > 0; depth--) {
      const inner = Object.values(container).filter((value) => typeof value === 'object' && value !== null);
      if (inner.length > 0) container = inner[below(inner.length)] as { [name: string]: unknown };
    }
    const names = Object.keys(container);
    const name = names.length > 0 && below(5) > 0 ? names[below(names.length)]! : `new${below(3)}`;
    if (below(6) === 0) delete container[name];
    else container[name] = structuredClone(strange[below(strange.length)]);
  }
  let text = JSON.stringify(below(40) === 0 ? strange[below(strange.length)] : copy);
  if (below(8) === 0) text = text.slice(0, below(text.length + 1));
  if (below(8) === 0) {
    const place = below(text.length + 1);
    text = `${text.slice(0, place)}${'{}[]",:0e-\\ \u0000'[below(13)]}${text.slice(place + below(2))}`;
  }
  return text;
}

/** All 10,000 take a minute: scripts/native-tests.mjs asks for that. */
const inputs = process.env.LMD_EXHAUSTIVE === undefined ? 300 : 10_000;

async function fuzz(json: unknown, read: (text: string) => Promise<unknown>, seed: number): Promise<Set<string>> {
  const below = randomBelow(seed);
  const outcomes = new Set<string>();
  for (let input = 0; input < inputs; input++) {
    const text = mutated(json, below);
    try {
      outcomes.add(await outcome(() => read(text)));
    } catch (error) {
      throw new Error(`Input ${input}, ${text}: ${(error as Error).stack}`, { cause: error });
    }
  }
  return outcomes;
}

describe('a model file of lmd', () => {
  it('is read whole', async () => {
    expect(await outcome(() => readModel(own({})))).toBe('fine');
  });

  it.each([
    ['packed', 'null'],
    ['packed', '{'],
    ['packed', '{}'],
    ['packed', '{"format": "mxfp4_e2m1"}'],
    ['packed', '{"format": "mxfp4_e2m1", "axes": []}'],
    ['packed', '{"format": "mxfp4_e2m1", "axes": {"norm.gain": -1}}'],
    ['packed', '{"format": "mxfp4_e2m1", "axes": {"norm.gain": 0}}'],
    ['packed', '{"format": "toString", "axes": {}}'],
    ['packed', '{"format": "mxfp4_e2m1", "axes": {}, "more": 1}'],
    ['config', '{'],
    ['config', 'null'],
    ['config', '[]'],
    ['architecture', 'resnet'],
  ])('with the metadata %s = %s is refused, and is closed', async (key, text) => {
    expect(await outcome(() => readModel(own({ [key]: text })))).toBe('DATA_CORRUPT');
  });

  it.each([
    ['{"depth": 1000000000}', 'INVALID_ARGUMENT'],
    ['{}', 'INVALID_ARGUMENT'],
    ['{"later": 1}', 'UNKNOWN_OPTION'],
  ])('with the metadata config = %s is refused at once', async (config, code) => {
    expect(await outcome(() => readModel(own({ config })))).toBe(code);
  });

  it('packed, of rows without elements, does not keep anyone waiting', async () => {
    const empty = { dtype: 'F6_E3M2', shape: [2 ** 49, 0], data: new Uint8Array(0) } as const;
    const path = own({ packed: '{"format": "mxfp6_e3m2", "axes": {"w": 1}}' }, (tensors) => ({
      ...tensors,
      'w.codes': empty,
      'w.scales': { ...empty, dtype: 'F8_E8M0' },
    }));
    expect(await outcome(() => readModel(path))).toBe('fine');
  });
});

describe('a JSON file that an editor began with a byte order mark', () => {
  it('is read: config.json of a model, and any other of another library, such as adapter_config.json', async () => {
    const folder = await gpt2Folder('marked');
    const path = join(folder, 'config.json');
    const text = readFileSync(path, 'utf8');
    expect(await outcome(() => readModel(folder))).toBe('fine');
    writeFileSync(path, `\ufeff${text}`);
    expect(await outcome(() => readModel(folder))).toBe('fine');
    expect(await readJson(path)).toEqual(JSON.parse(text));
    writeFileSync(path, `\ufeff\ufeff${text}`);
    expect(await outcome(() => readModel(folder))).toBe('DATA_CORRUPT');
  });
});

describe('a model file that cannot be read', () => {
  // Only where the system says which files this process has open.
  const descriptors = '/proc/self/fd';
  const open = () => (existsSync(descriptors) ? readdirSync(descriptors).length : 0);

  it('is closed again', async () => {
    const paths = await Promise.all(['{"model_type"', 'null'].map((json, i) => gpt2Folder(`open-${i}`, json)));
    paths.push(own({ packed: '{' }));
    const before = open();
    for (let i = 0; i < 10; i++)
      for (const path of paths) expect(await outcome(() => readModel(path))).toBe('DATA_CORRUPT');
    expect(open()).toBe(before);
  });
});

describe('files of other hands, damaged in any way, are refused by a typed error', () => {
  const timeout = 300_000;

  it('config.json of transformers', { timeout }, async () => {
    const path = await gpt2Folder('fuzz-gpt2');
    const json = { model_type: 'gpt2', vocab_size: 4, n_positions: 2, n_embd: 4, n_layer: 1, n_head: 2, n_inner: null };
    const more = { layer_norm_epsilon: 1e-5, scale_attn_weights: true, id2label: { 0: 'A' }, task_specific_params: {} };
    const read = async (text: string) => {
      writeFileSync(join(path, 'config.json'), text);
      await readModel(path);
    };
    const outcomes = await fuzz({ ...json, ...more }, read, 1);
    expect([...outcomes]).toEqual(
      expect.arrayContaining(['fine', 'UNSUPPORTED', 'DATA_CORRUPT', 'CHECKPOINT_MISMATCH']),
    );
  });

  it('config.json of timm', { timeout }, async () => {
    const path = await writeExported(at('fuzz-timm'), timm, 'timm');
    const json = { architecture: 'vit_tiny_patch4_8', num_classes: 4, num_features: 16, global_pool: 'token' };
    const read = async (text: string) => {
      writeFileSync(join(path, 'config.json'), text);
      await readModel(path);
    };
    const outcomes = await fuzz({ ...json, model_args: { num_heads: 2, reg_tokens: 0 }, pretrained_cfg: {} }, read, 2);
    expect([...outcomes]).toEqual(expect.arrayContaining(['fine', 'UNSUPPORTED', 'DATA_CORRUPT']));
  });

  it('adapter_config.json of PEFT', { timeout }, async () => {
    const model = gpt2(small);
    const base = model.initialize(ops, 1);
    const name = 'base_model.model.transformer.h.0.attn.c_proj.lora_';
    const tensors = {
      [`${name}A.weight`]: { shape: [1, 4], data: Float32Array.of(1, 0, 0, 0) },
      [`${name}B.weight`]: { shape: [4, 1], data: Float32Array.of(1, 0, 0, 0) },
    };
    const json = { peft_type: 'LORA', r: 1, lora_alpha: 2, use_dora: false, rank_pattern: {}, bias: 'none' };
    const read = async (text: string) => {
      writeFileSync(at('adapter.json'), text);
      const config = (await readJson(at('adapter.json'))) as { [name: string]: unknown };
      ops.dispose(await mergeAdapters(ops, model, base, { tensors, config }));
    };
    const outcomes = await fuzz(json, read, 3);
    expect([...outcomes]).toEqual(expect.arrayContaining(['fine', 'UNSUPPORTED', 'DATA_CORRUPT']));
  });

  it('metadata of packed weights and of our configuration', { timeout }, async () => {
    const packed = { format: 'mxfp6_e3m2', axes: { w: 0 } };
    const parts = {
      'w.codes': { dtype: 'F6_E3M2', shape: [4, 4], data: new Uint8Array(12) },
      'w.scales': { dtype: 'F8_E8M0', shape: [1, 4], data: new Uint8Array(4).fill(127) },
    } as const;
    const read = async (text: string) => {
      const path = own({ packed: text }, (tensors) => ({ ...tensors, ...parts }));
      await readModel(path);
    };
    expect([...(await fuzz(packed, read, 4))]).toEqual(expect.arrayContaining(['fine', 'DATA_CORRUPT']));
    const outcomes = await fuzz(gpt2(small).config, (text) => readModel(own({ config: text })), 5);
    expect([...outcomes]).toEqual(
      expect.arrayContaining(['fine', 'DATA_CORRUPT', 'INVALID_ARGUMENT', 'UNKNOWN_OPTION']),
    );
  });

  it('an index of several files', { timeout }, async () => {
    const shard = at('shards', 'model-00001-of-00001.safetensors');
    writeTensors(shard, { 'tokenEmbedding.weight': tensors['tokenEmbedding.weight']! });
    const path = at('shards', 'model.safetensors.index.json');
    const json = {
      metadata: { total_size: 64 },
      weight_map: { 'tokenEmbedding.weight': 'model-00001-of-00001.safetensors' },
    };
    const read = async (text: string) => {
      writeFileSync(path, text);
      await readModel(path);
    };
    expect([...(await fuzz(json, read, 6))]).toEqual(expect.arrayContaining(['fine', 'DATA_CORRUPT']));
  });
});
