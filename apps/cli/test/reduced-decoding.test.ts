import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import type { ImagePreprocessing } from '@lmd/core';
import { loadModel } from '@lmd/inference/node';
import { parseSafetensors } from '@lmd/safetensors';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Predictions } from '../src/predict/predict-images.js';
import { lmd, sha256, start, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const short = ['steps=12', 'evaluation.every=6', 'checkpoints.every=4', 'optimizers.lmd.schedule.warmup=2'];
const how = ['--set', ...short, 'data.size=16', 'data.preprocessing.decoding=reduced'];
const train = (...words: string[]) => lmd(['train', ...words], folder);

beforeAll(async () => {
  for (const [label, name] of ['coarse', 'fine'].entries()) {
    mkdirSync(at('pictures', name), { recursive: true });
    for (let n = 0; n < 9; n++) {
      const pixels = Uint8Array.from({ length: 96 * 72 * 3 }, (_, i) => ((i * (7 + n)) >> (6 - 6 * label)) % 251);
      const image = sharp(pixels, { raw: { width: 96, height: 72, channels: 3 } }).jpeg();
      writeFileSync(at('pictures', name, `${n}.jpg`), await image.toBuffer());
    }
  }
});

describe('a run whose JPEGs are decoded at a reduced size', () => {
  it('states it in the report and in the model, which predicts likewise', async () => {
    expect(await train('pictures', ...how, '--out', 'run')).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(at('run', 'report.html'), 'utf8')).toContain('JPEGs decoded at a reduced size');
    const file = at('run', 'model.safetensors');
    const { metadata } = parseSafetensors(new Uint8Array(readFileSync(file)));
    const preprocessing: ImagePreprocessing = JSON.parse(metadata.preprocessing!);
    expect(preprocessing).toMatchObject({ height: 16, decoding: 'reduced' });

    const { stdout, code } = await lmd(['predict', 'run', at('pictures', 'fine'), '--json'], folder);
    expect(code).toBe(0);
    const { predictions } = JSON.parse(stdout.trim().split('\n').at(-1)!) as Predictions;
    const backend = createReferenceBackend();
    const probabilities = async (decoding: 'full' | 'reduced') => {
      const model = await loadModel(file, { backend, preprocessing: { ...preprocessing, decoding } });
      const results = await model.classify(predictions.map(({ file }) => at('pictures', 'fine', file)));
      model.dispose();
      return results.map(({ probability }) => probability);
    };
    const distance = (others: readonly number[]) =>
      Math.max(...predictions.map(({ probability }, i) => Math.abs(probability - others[i]!)));
    expect(distance(await probabilities('reduced'))).toBeLessThan(1e-5);
    expect(distance(await probabilities('full'))).toBeGreaterThan(1e-4);
  });

  it('resumes to the same bits, and with the same decoding only', async () => {
    const interrupted = start(['train', 'pictures', ...how, '--out', 'part', '--json'], folder, (event, child) => {
      if (event.type === 'step' && event.step === 6) child.kill('SIGINT');
    });
    expect((await interrupted.done).code).toBe(130);
    const other = await train('--resume', 'part', '--set', 'data.preprocessing.decoding=full');
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/data.preprocessing.decoding="full": this run started with "reduced"/),
    ]);
    const path = at('part', 'config.json');
    const saved = readFileSync(path, 'utf8');
    // Edited by hand, past that check.
    writeFileSync(path, saved.replace('"reduced"', '"full"'));
    expect(await train('--resume', 'part')).toMatchObject({ code: 1 });
    writeFileSync(path, saved);
    expect(await train('--resume', 'part')).toMatchObject({ code: 0, stderr: '' });
    expect(sha256(at('part', 'model.safetensors'))).toBe(sha256(at('run', 'model.safetensors')));
  });

  it('refuses an unknown decoding', async () => {
    const { code, stderr } = await train('pictures', '--set', 'data.preprocessing.decoding=draft', '--out', 'none');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/data.preprocessing.decoding.*full.*reduced/s)]);
  });
});
