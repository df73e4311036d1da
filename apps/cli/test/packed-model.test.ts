import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations, type EagerOperations, isLmdError } from '@lmd/core';
import { type ModelFile, modelOf } from '@lmd/inference';
import { openModelFile, openTensorFile } from '@lmd/inference/node';
import { gpt2 } from '@lmd/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quantizeCommand } from '../src/commands/quantize.js';
import { processTerminal } from '../src/output/terminal.js';
import { f32, type Tensors, writeGpt2Folder, writeTensors } from './foreign.js';

const folder = join(tmpdir(), `lmd-packed-model-${process.pid}`);
const at = (...path: string[]) => join(folder, ...path);
const silent = { write: () => true } as unknown as ReturnType<typeof processTerminal>['out'];
const terminal = { ...processTerminal(), out: silent, error: silent };
const usual = { rounding: 'nearestEven', scaleMode: 'floor', seed: 0, force: true, json: true } as const;
let ops: EagerOperations;

beforeAll(async () => {
  ops = createOperations(await createCpuBackend({ threads: 1 }));
  mkdirSync(folder, { recursive: true });
  const { parameters, config } = gpt2({ vocabularySize: 40, contextLength: 8, width: 32, depth: 1, heads: 2 });
  const tensors = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, f32(shape)]));
  const metadata = { format: 'lmd-model-v1', architecture: 'gpt2', config: JSON.stringify(config) };
  writeTensors(at('own.safetensors'), tensors as Tensors, metadata);
  writeGpt2Folder(at('foreign'), { vocabulary: 40, width: 32 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const sources = { 'of ours': 'own.safetensors', 'of transformers': 'foreign' };

async function opened<Result>(path: string, body: (file: ModelFile) => Promise<Result>): Promise<Result> {
  const file = await openModelFile(path);
  try {
    return await body(file);
  } finally {
    await file.close();
  }
}

describe.each(Object.entries(sources))('a model %s', (_, source) => {
  it.each(['mxfp4_e2m1', 'mxfp6_e2m3', 'mxint8'] as const)(
    'in %s is read packed, with the same values',
    async (format) => {
      const path = at(source === 'foreign' ? source : '.', `quantized.${format}.safetensors`);
      await quantizeCommand(at(source), { ...usual, format, out: path }, terminal);
      const before = ops.memory().tensors;
      const check = (file: ModelFile, given?: typeof format) => async () => {
        const model = modelOf(file.describe())!;
        const { weights, packedWeights } = await file.packedWeights!(ops, model, given);
        const values = await opened(path, (quantized) => quantized.weights(ops, model));
        expect(Object.keys(packedWeights)).toHaveLength(5);
        expect(Object.keys(weights)).toHaveLength(Object.keys(model.parameters).length - 5);
        for (const [name, matrix] of Object.entries(packedWeights)) {
          const rows = ops.decodeMatrix(matrix);
          const decoded = matrix.axis === 1 ? rows : ops.transpose(rows);
          expect(await ops.read(decoded), name).toEqual(await ops.read(values[name]!));
          ops.dispose(matrix.axis === 1 ? [rows] : [rows, decoded]);
          ops.dispose(matrix.tensors);
        }
        ops.dispose(weights);
        ops.dispose(values);
      };
      await opened(path, async (file) => {
        expect(file.packedFormat).toBe(format);
        await check(file)();
        await expect(file.packedWeights!(ops, modelOf(file.describe())!, 'mxfp8_e4m3')).rejects.toThrow(
          /The format is mxfp8_e4m3/,
        );
      });
      // Quantized as it is read.
      await opened(at(source), (file) => check(file, format)());
      expect(ops.memory().tensors).toBe(before);
    },
  );
});

describe('a damaged packed model', () => {
  const quantized = async (change: (tensors: Tensors, packed: { axes: Record<string, number> }) => void) => {
    const path = at('damaged.safetensors');
    await quantizeCommand(at('own.safetensors'), { ...usual, format: 'mxfp8_e4m3', out: path }, terminal);
    const file = await openTensorFile(path);
    const tensors: Tensors = {};
    for (const name of file.entries.keys()) tensors[name] = await file.read(name);
    const metadata = { ...file.metadata };
    await file.close();
    const packed = JSON.parse(metadata.packed!);
    change(tensors, packed);
    writeTensors(path, tensors, { ...metadata, packed: JSON.stringify(packed) });
    const { tensors: before } = ops.memory();
    try {
      await opened(path, async (damaged) => damaged.packedWeights!(ops, modelOf(damaged.describe())!));
      return 'fine';
    } catch (error) {
      expect(ops.memory().tensors).toBe(before);
      return isLmdError(error) ? error.code : String(error);
    }
  };
  const name = 'blocks.0.mlp.up.weight';

  it('with a code of NaN, blocks along the outputs, or too few scales is refused, and leaves nothing behind', async () => {
    expect(await quantized(() => {})).toBe('fine');
    const codes = `${name}.codes`;
    const bad = (tensors: Tensors) => Object.assign(tensors[codes]!.data, { 3: 0x7f });
    expect(await quantized(bad)).toBe('DATA_CORRUPT');
    expect(await quantized((_, packed) => Object.assign(packed.axes, { [name]: 1 }))).toBe('DATA_CORRUPT');
    const short = (tensors: Tensors) => {
      const scales = tensors[`${name}.scales`]!;
      tensors[`${name}.scales`] = { ...scales, shape: [scales.data.length - 1], data: scales.data.slice(1) };
    };
    expect(await quantized(short)).toBe('SHAPE_MISMATCH');
  });
});
