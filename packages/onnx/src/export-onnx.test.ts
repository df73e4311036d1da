import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  createOps,
  inputsOf,
  largestDifference,
  logitsOf,
  type ModelName,
  models,
  weightsOf,
} from '../test/models.js';
import { exportOnnx } from './index.js';
import { ModelProtoSchema } from './schema/onnx.generated.js';

const ops = createOps();
const golden = fileURLToPath(new URL('../test/golden/', import.meta.url));
const names = Object.keys(models) as ModelName[];

async function exported(name: ModelName) {
  const { model, cache } = models[name];
  const weights = weightsOf(ops, model);
  const [file, ...others] = exportOnnx(ops, model, weights, cache === undefined ? {} : { cache });
  expect(others).toEqual([]);
  const bytes = await bytesOf(file!);
  expect(bytes.length).toBe(file!.byteLength);
  return { model, weights, bytes };
}

// `LMD_WRITE_GOLDEN=1 npx vitest run` writes the files that dev/golden/onnx/generate.py then checks and runs.
if (process.env.LMD_WRITE_GOLDEN === '1') {
  mkdirSync(golden, { recursive: true });
  for (const name of names) {
    const { model, bytes } = await exported(name);
    const { shape, data } = inputsOf(model);
    writeFileSync(`${golden}${name}.onnx`, bytes);
    writeFileSync(`${golden}${name}.inputs.json`, JSON.stringify({ shape, data: [...data] }));
  }
}

describe.each(names)('%s', (name) => {
  it('is byte for byte the file that onnx checked and ran', async () => {
    const { bytes } = await exported(name);
    expect(bytes.equals(readFileSync(`${golden}${name}.onnx`))).toBe(true);
  });

  it('has the logits that the reference implementation of ONNX computed', async () => {
    const { model, weights } = await exported(name);
    const expected: { logits: number[]; shape: number[] } = JSON.parse(readFileSync(`${golden}${name}.json`, 'utf8'));
    const logits = await logitsOf(ops, model, weights);
    expect(logits).toHaveLength(expected.logits.length);
    expect(Math.max(...expected.logits.map(Math.abs))).toBeGreaterThan(0.1);
    // Logits of the order of 1 in f32, sums of 32 products in another order.
    expect(largestDifference(logits, expected.logits)).toBeLessThan(1e-6);
  });
});

describe('exportOnnx', () => {
  const { model } = models.gpt2;

  it('names inputs and outputs as transformers does', async () => {
    const io = async (name: ModelName) => {
      const { graph } = fromBinary(ModelProtoSchema, (await exported(name)).bytes);
      return [graph!.input, graph!.output].map((values) => values.map((value) => value.name));
    };
    expect(await io('vit-class-token')).toEqual([['pixel_values'], ['logits']]);
    expect(await io('gpt2')).toEqual([['input_ids'], ['logits']]);
    const layers = [0, 1].flatMap((i) => [`${i}.key`, `${i}.value`]);
    expect(await io('gpt2-erf-cached')).toEqual([
      ['input_ids', 'attention_mask', 'position_ids', ...layers.map((layer) => `past_key_values.${layer}`)],
      ['logits', ...layers.map((layer) => `present.${layer}`)],
    ]);
  });

  it('puts weights that do not fit into files of their own, each found by its place', async () => {
    const weights = weightsOf(ops, model);
    const files = exportOnnx(ops, model, weights, { name: 'm.onnx', maxFileBytes: 3000 });
    expect(files.length).toBeGreaterThan(3);
    expect(files.map(({ name }) => name).slice(0, 3)).toEqual(['m.onnx', 'm.onnx_data', 'm.onnx_data_1']);
    for (const { byteLength } of files.slice(1)) expect(byteLength).toBeLessThanOrEqual(3000);
    const data = new Map<string, Buffer>();
    for (const file of files) data.set(file.name, await bytesOf(file));
    const { graph } = fromBinary(ModelProtoSchema, data.get('m.onnx')!);
    const found = graph!.initializer.filter(({ externalData }) => externalData.length > 0);
    expect(found.map(({ name }) => name)).toEqual(Object.keys(model.parameters));
    for (const { name, externalData } of found) {
      const { location, offset, length } = Object.fromEntries(externalData.map(({ key, value }) => [key, value]));
      const bytes = data.get(location!)!.subarray(Number(offset), Number(offset) + Number(length));
      const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      expect(values, name).toEqual(await ops.read(weights[name]!));
    }
  });

  it.each<[string, object, string]>([
    ['a cache of a ViT', { cache: true }, 'cache'],
    ['a size of no bytes', { maxFileBytes: 0 }, 'maxFileBytes'],
  ])('refuses %s', (_, options, subject) => {
    const { model } = models['vit-class-token'];
    const error = errorOf(() => exportOnnx(ops, model, weightsOf(ops, model), options));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', subject });
  });

  it('refuses weights of another model', () => {
    const { 'norm.gain': _, ...weights } = weightsOf(ops, model);
    expect(errorOf(() => exportOnnx(ops, model, weights))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      subject: 'norm.gain',
    });
  });
});

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    if (isLmdError(error)) return error;
    throw error;
  }
  return undefined;
}
