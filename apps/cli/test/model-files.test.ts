import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PackedWeights, unpackWeight } from '@lmd/inference';
import { dequantize, fakeQuantize } from '@lmd/mx-formats';
import { parseSafetensors, type SafetensorsTensor, toFloat32Array } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FileInspection } from '../src/inspect/inspect-file.js';
import type { RunInspection } from '../src/inspect/inspect-run.js';
import { lmd, sha256, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const json = async <T>(...words: string[]) => JSON.parse((await lmd([...words, '--json'], folder)).stdout) as T;

beforeAll(async () => {
  const words = ['train', ...tiny, '--set', 'optimizers.adamw.precision=fp32', '--out', 'run'];
  expect(await lmd(words, folder)).toMatchObject({ code: 0 });
});

describe('lmd inspect', () => {
  it('shows how far a run is and what it achieved', async () => {
    const { type, optimizers } = await json<RunInspection>('inspect', 'run');
    expect(type).toBe('run');
    expect(optimizers.map(({ optimizer, status, step, losses }) => [optimizer, status, step, losses.length])).toEqual([
      ['lmd', 'done', 16, 16],
      ['adamw', 'done', 16, 16],
    ]);
    expect(optimizers[0]!.result!.testAccuracy).toBeGreaterThan(0.5);
    const { stdout } = await lmd(['inspect', 'run'], folder);
    expect(stdout).toMatch(/lmd +lmd +mxfp6_e3m2 +done +16\/16 .*step-00000016\.safetensors/);
  });

  it('shows the format that each rule was trained in, as its result, its model and its evaluation do', async () => {
    const { optimizers } = await json<RunInspection>('inspect', 'run');
    const { results } = await json<{ results: { optimizer: string; format: string }[] }>('evaluate', 'run');
    const formats = [
      ['lmd', 'mxfp6_e3m2'],
      ['adamw', 'fp32'],
    ];
    expect(optimizers.map(({ optimizer, format }) => [optimizer, format])).toEqual(formats);
    expect(optimizers.map(({ optimizer, result }) => [optimizer, result!.format])).toEqual(formats);
    expect(results.map(({ optimizer, format }) => [optimizer, format])).toEqual(formats);
    const file = parseSafetensors(readFileSync(at('run', 'adamw', 'model.safetensors')));
    expect(file.metadata).toMatchObject({ optimizer: 'adamw', precision: 'fp32' });
    expect(readFileSync(at('run', 'report.html'), 'utf8')).toContain('adamw with a fp32 forward pass');
  });

  it('sums up every tensor of a model, and draws them', async () => {
    const { kind, tensors } = await json<FileInspection>('inspect', 'run/model.safetensors', '--html', 'plots.html');
    expect(kind).toBe('model');
    const weights = parseSafetensors(readFileSync(at('run', 'model.safetensors'))).tensors;
    expect(tensors.map(({ name }) => name)).toEqual([...weights.keys()].sort());
    const name = 'blocks.0.mlp.up.weight';
    const values = toFloat32Array(weights.get(name)!);
    const logs = [...values].map((value) => Math.log(Math.abs(value)));
    const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    const summary = tensors.find((tensor) => tensor.name === name)!.values!;
    expect(summary.mean).toBeCloseTo(mean([...values]), 10);
    expect(summary.maximum).toBe(Math.max(...values));
    expect(summary.logMagnitude!.mean).toBeCloseTo(mean(logs), 10);
    const page = readFileSync(at('plots.html'), 'utf8');
    expect(page.match(/<svg viewBox/g)).toHaveLength(tensors.length);
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });

  it('reads a checkpoint, some tensors of it if asked', async () => {
    const path = 'run/lmd/checkpoints/step-00000016.safetensors';
    const { kind, tensors } = await json<FileInspection>('inspect', path, '--tensor', 'head.weight');
    expect(kind).toBe('checkpoint');
    expect(tensors.map(({ name }) => name)).toContainEqual(expect.stringMatching(/head\.weight\/logPlus$/));
    expect(tensors.every(({ name }) => name.includes('head.weight'))).toBe(true);
  });

  it.each([
    ['a path that is not there', ['nothing'], 2, 'nothing does not exist.'],
    ['a folder that is no run', ['.'], 2, 'is not a run folder'],
    ['a file that is no safetensors', ['plots.html'], 1, 'is not a safetensors file'],
    ['a tensor that is not there', ['run/model.safetensors', '--tensor', 'nix'], 2, 'matches no tensor of'],
    ['plots of a run', ['run', '--html', 'x.html'], 2, '--html needs a file'],
  ])('refuses %s', async (_, words, code, message) => {
    const outcome = await lmd(['inspect', ...words], folder);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(message);
  });
});

describe('lmd quantize', () => {
  it.each(['mxfp8_e4m3', 'mxfp6_e2m3', 'mxfp4_e2m1', 'mxint8', 'nvfp4'] as const)(
    'packs matrices to %s: the codes stand for what the forward pass rounds to',
    async (format) => {
      const result = await json<{ bytesBefore: number; bytesAfter: number }>('quantize', 'run', '--format', format);
      expect(result.bytesBefore / result.bytesAfter).toBeGreaterThan(format === 'mxfp4_e2m1' ? 5 : 3);
      const { tensors, metadata } = parseSafetensors(readFileSync(at('run', `model.${format}.safetensors`)));
      const original = parseSafetensors(readFileSync(at('run', 'model.safetensors'))).tensors;
      const packed = JSON.parse(metadata.packed!) as PackedWeights;
      expect(metadata).toMatchObject({ format: 'lmd-model-v1', rule: 'lmd' });
      expect(Object.keys(packed.axes)).toHaveLength(6);
      const read = async (name: string): Promise<SafetensorsTensor> => tensors.get(name)!;
      for (const [name, tensor] of original) {
        if (!Object.hasOwn(packed.axes, name)) expect(tensors.get(name)).toEqual(tensor);
        else {
          const options = { format, shape: tensor.shape, axis: -2 };
          const expected = fakeQuantize(toFloat32Array(tensor), options);
          expect((await unpackWeight(name, packed, read, dequantize)).data).toEqual(expected);
        }
      }
    },
  );

  it('writes the same file from the same seed when it rounds at random', async () => {
    const words = ['quantize', 'run', '--format', 'mxfp4_e2m1', '--rounding', 'stochastic'];
    for (const [out, seed] of Object.entries({ a: '1', b: '1', c: '2' })) {
      expect(await lmd([...words, '--seed', seed, '--out', out], folder)).toMatchObject({ code: 0 });
    }
    expect(sha256(at('a.safetensors'))).toBe(sha256(at('b.safetensors')));
    expect(sha256(at('c.safetensors'))).not.toBe(sha256(at('a.safetensors')));
  });

  it('is read by lmd inspect', async () => {
    const { kind, tensors } = await json<FileInspection>('inspect', 'a.safetensors');
    expect(kind).toBe('packed model');
    const codes = tensors.find(({ name }) => name === 'head.weight.codes')!;
    expect(codes).toMatchObject({ dtype: 'F4', shape: [32, 4], bytes: 64 });
    expect(codes.values!.maximum).toBeGreaterThan(0.1);
  });

  it.each([
    ['a format that is not there', ['run', '--format', 'mxfp6_e3m3'], 2, 'Allowed choices are mxfp8_e5m2, mxfp8_e4m3,'],
    ['a model that is not there', ['nothing', '--format', 'mxint8'], 1, 'does not exist.'],
    ['a file that is there', ['run', '--format', 'mxint8', '--out', 'a'], 2, 'already exists'],
    ['a packed model', ['a.safetensors', '--format', 'mxint8'], 1, 'is already packed'],
    ['a seed that is none', ['run', '--format', 'mxint8', '--seed', 'x'], 2, 'Use an integer at least 0.'],
  ])('refuses %s', async (_, words, code, message) => {
    const before = sha256(at('a.safetensors'));
    const outcome = await lmd(['quantize', ...words], folder);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(message);
    expect(sha256(at('a.safetensors'))).toBe(before);
  });

  it('leaves nothing behind when the codes of a packed file are damaged', async () => {
    const bytes = readFileSync(at('a.safetensors'));
    writeFileSync(at('short'), bytes.subarray(0, bytes.length - 40));
    expect(await lmd(['quantize', 'short', '--format', 'mxint8', '--out', 'new'], folder)).toMatchObject({ code: 1 });
    expect(existsSync(at('new.safetensors'))).toBe(false);
  });
});
