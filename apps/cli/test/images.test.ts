import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, sha256, start, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);

/** Stripes in one of two directions, brighter to one side. */
function picture(number: number, vertical: boolean): Promise<Buffer> {
  const data = new Uint8Array(360);
  for (let i = 0; i < 120; i++) {
    const [x, y] = [i % 12, Math.floor(i / 12)];
    const value = ((vertical ? x : y) + number) % 4 < 2 ? 40 + 15 * x : 5 * x;
    data.set([value, 255 - value, (number * 37) % 256], 3 * i);
  }
  return sharp(data, { raw: { width: 12, height: 10, channels: 3 } })
    .png()
    .toBuffer();
}

const configuration = {
  steps: 12,
  batchSize: 8,
  precision: 'fp32',
  data: { kind: 'imageFolder', folder: 'pictures', size: 8, validation: 8 },
  model: { kind: 'vit', patchSize: 4, width: 32, depth: 1, heads: 1 },
  optimizers: [{ name: 'adamw', rule: 'adamw' }],
  evaluation: { every: 4 },
  checkpoints: { every: 4 },
};
const augmented = [
  '--set',
  'data.augmentation={"scale":[0.5,1],"flip":0.5,"randAugment":5,"mixup":0.4,"labelSmoothing":0.1}',
];
const train = (...words: string[]) => lmd(['train', 'pictures.json', ...words], folder);

beforeAll(async () => {
  for (const [part, count] of Object.entries({ train: 24, val: 6 })) {
    for (const direction of ['across', 'down']) {
      mkdirSync(at('pictures', part, direction), { recursive: true });
      for (let i = 0; i < count; i++) {
        writeFileSync(at('pictures', part, direction, `${i}.png`), await picture(i, direction === 'across'));
      }
    }
  }
  writeFileSync(at('pictures.json'), JSON.stringify(configuration));
});

describe('a run on a folder of images', () => {
  it('sees them augmented where that is asked for', async () => {
    expect(await train('--out', 'plain')).toMatchObject({ code: 0, stderr: '' });
    expect(await train(...augmented, '--out', 'augmented')).toMatchObject({ code: 0, stderr: '' });
    expect(sha256(at('augmented', 'model.safetensors'))).not.toBe(sha256(at('plain', 'model.safetensors')));
  });

  it('resumes to the same bits after Ctrl-C, with the next batch under way', async () => {
    const words = ['train', 'pictures.json', ...augmented, '--out', 'part', '--json'];
    const interrupted = start(words, folder, (event, child) => {
      if (event.type === 'step' && event.step === 6) child.kill('SIGINT');
    });
    const { code, stderr } = await interrupted.done;
    expect({ code, stderr }).toMatchObject({ code: 130 });
    expect(stderr).not.toMatch(/Unhandled|rejection/);
    expect(await lmd(['train', '--resume', 'part'], folder)).toMatchObject({ code: 0, stderr: '' });
    expect(sha256(at('part', 'model.safetensors'))).toBe(sha256(at('augmented', 'model.safetensors')));
  });

  it('refuses an image that does not decode, naming it, and skips it only if asked', async () => {
    const damaged = at('pictures', 'train', 'down', '5.png');
    const whole = await picture(5, false);
    writeFileSync(damaged, whole.subarray(0, 60));
    const refused = await train('--out', 'damaged', '--set', 'steps=60', '--json');
    const error = JSON.parse(refused.stdout.trim().split('\n').at(-1)!);
    expect([refused.code, error.type, error.code]).toEqual([1, 'error', 'DATA_CORRUPT']);
    expect(error.message).toContain(damaged);
    expect(existsSync(at('damaged', 'model.safetensors'))).toBe(false);
    const skipped = await train('--out', 'skipped', '--set', 'data.undecodable=skip', '--json');
    expect(skipped.code).toBe(0);
    const warning = skipped.events.find(({ type }) => type === 'warning') as { message?: string } | undefined;
    expect(warning?.message).toContain('1 image cannot be decoded');
    expect(warning?.message).toContain(damaged);
    writeFileSync(damaged, whole);
  });

  it('names files that are not used, once for all optimizers', async () => {
    writeFileSync(at('pictures', 'train', 'across', 'notes.txt'), 'a note');
    const two = '[{"name":"first","rule":"adamw"},{"name":"second","rule":"sgd"}]';
    const words = ['--set', 'steps=4', 'data.undecodable=skip', `optimizers=${two}`, '--json', '--out', 'unused'];
    const { code, stderr, events } = await train(...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const messages = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
    const unused = messages.filter((message) => message.includes('not used'));
    expect(unused).toEqual([expect.stringMatching(/^1 file is not used .*notes\.txt$/)]);
  });
});
