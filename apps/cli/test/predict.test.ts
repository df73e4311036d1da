import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors } from '@lmd/safetensors';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Predictions } from '../src/predict/predict-images.js';
import { lmd, sha256, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);

/** A plain picture with noise: dark ones are "night, dark", light ones "day". */
function picture(light: boolean, number: number): Promise<Buffer> {
  const data = Uint8Array.from({ length: 360 }, (_, i) => (light ? 200 : 20) + ((i * 31 + number * 7) % 40));
  return sharp(data, { raw: { width: 12, height: 10, channels: 3 } })
    .png()
    .toBuffer();
}

const classNames = ['day', 'night, dark'];
const configuration = {
  steps: 30,
  batchSize: 8,
  precision: 'mxfp6_e2m3',
  data: { kind: 'imageFolder', folder: 'pictures', size: 8, validation: 4 },
  model: { kind: 'vit', patchSize: 4, width: 32, depth: 1, heads: 1 },
  optimizers: [
    { name: 'lmd', rule: 'lmd', learningRate: 0.02, noise: 0.3 },
    { name: 'adamw', rule: 'adamw' },
  ],
  evaluation: { every: 30 },
  checkpoints: { every: 30 },
};

const json = async (...words: string[]) => {
  const { stdout, code } = await lmd(['predict', ...words, '--json'], folder);
  return { code, ...(JSON.parse(stdout.trim().split('\n').at(-1)!) as Predictions & { classNames: string[] }) };
};

beforeAll(async () => {
  for (const part of ['train', 'test']) {
    for (const [i, className] of classNames.entries()) {
      mkdirSync(at('pictures', part, className), { recursive: true });
      for (let n = 0; n < 10; n++)
        writeFileSync(at('pictures', part, className, `${n}.png`), await picture(i === 0, n));
    }
  }
  mkdirSync(at('new', 'more'), { recursive: true });
  writeFileSync(at('new', 'a.png'), await picture(true, 11));
  writeFileSync(at('new', 'more', 'b.png'), await picture(false, 12));
  writeFileSync(at('pictures.json'), JSON.stringify(configuration));
  expect(await lmd(['train', 'pictures.json', '--out', 'run'], folder)).toMatchObject({ code: 0, stderr: '' });
});

describe('a trained model', () => {
  it('knows its classes, its preprocessing and how it was trained', () => {
    const { metadata } = parseSafetensors(new Uint8Array(readFileSync(at('run', 'model.safetensors'))));
    expect(JSON.parse(metadata.classNames!)).toEqual(classNames);
    expect(JSON.parse(metadata.preprocessing!)).toMatchObject({ height: 8, channels: 3, mean: [0.485, 0.456, 0.406] });
    expect(metadata).toMatchObject({ format: 'lmd-model-v1', precision: 'mxfp6_e2m3', rule: 'lmd', steps: '30' });
    expect(JSON.parse(metadata.optimizerOptions!)).toMatchObject({ noise: 0.3 });
    expect(JSON.parse(metadata.versions!)).toHaveProperty('@lmd/cli');
  });
});

describe('lmd predict', () => {
  it('classifies a folder, with its subfolders, as a table', async () => {
    const { code, stdout, stderr } = await lmd(['predict', 'run', 'new'], folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^file +prediction +probability +next *\n─+\na\.png +day +\d+\.\d\d % +night, dark \d/);
    expect(stdout).toMatch(/\nmore\/b\.png +night, dark +\d/);
    expect(stderr).toMatch(/^2 images in .* images\/s on /);
  });

  it('as JSON and as comma-separated values, alike', async () => {
    const { predictions, undecodable, code, ...rest } = await json('run', 'new');
    expect({ code, undecodable, classNames: rest.classNames }).toEqual({ code: 0, undecodable: [], classNames });
    expect(predictions.map(({ file, className }) => [file, className])).toEqual([
      ['a.png', 'day'],
      ['more/b.png', 'night, dark'],
    ]);
    const { stdout } = await lmd(['predict', 'run', 'new', '--csv'], folder);
    const [a, b] = predictions.map(({ top }) => top.map(({ probability }) => probability));
    expect(stdout).toBe(
      'file,prediction,probability,prediction_2,probability_2\n' +
        `a.png,day,${a![0]},"night, dark",${a![1]}\n` +
        `more/b.png,"night, dark",${b![0]},day,${b![1]}\n`,
    );
  });

  it('one image, from a model file, in another format', async () => {
    const [whole] = (await json('run', 'new/a.png')).predictions;
    const [file] = (await json('run/model.safetensors', at('new', 'a.png'), '--top-k', '1')).predictions;
    expect(file!.probability).toBe(whole!.probability);
    expect(file!.top).toHaveLength(1);
    const [other] = (await json('run', 'new/a.png', '--format', 'fp32')).predictions;
    expect(other!.probability).not.toBe(whole!.probability);
    expect(other!.probability).toBeCloseTo(whole!.probability, 1);
  });

  it('a quantized and an exported model alike', async () => {
    await lmd(['quantize', 'run', '--format', 'mxfp8_e4m3', '--out', 'packed.safetensors'], folder);
    await lmd(['export', 'run', '--layout', 'lmd', '--out', 'exported'], folder);
    for (const model of ['packed.safetensors', 'exported']) {
      expect((await json(model, 'new')).predictions.map(({ className }) => className)).toEqual(classNames);
    }
  });

  it('with posterior samples shows the spread, and those of the run are repeated', async () => {
    const { stdout, code } = await lmd(['predict', 'run', 'new', '--samples', '4'], folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/probability +spread +next *\n.*\n.* % +± \d+\.\d\d % /);
    const first = await json('run', 'new', '--samples', '4');
    expect((await json('run', 'new', '--samples', '4')).predictions).toEqual(first.predictions);
    expect((await json('run', 'new', '--samples', '4', '--seed', '7')).predictions).not.toEqual(first.predictions);
    const refused = await lmd(['predict', 'run', 'new', '--samples', '4', '--optimizer', 'adamw'], folder);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/trained by adamw, so that it has no posterior/);
  });

  it('names images that do not decode, classifies the others, and says so by its exit code', async () => {
    writeFileSync(at('new', 'broken.png'), 'no picture');
    writeFileSync(at('new', 'notes.txt'), 'a note');
    try {
      const { code, stdout, stderr } = await lmd(['predict', 'run', 'new'], folder);
      expect(code).toBe(1);
      expect(stdout).toMatch(/a\.png/);
      expect(stderr).toMatch(/error broken\.png: its format is unknown/);
      expect(stderr).toMatch(/note 1 file is not an image by name, such as .*notes\.txt/);
      const outcome = await json('run', 'new');
      expect(outcome.code).toBe(1);
      expect(outcome.undecodable).toEqual([{ file: 'broken.png', reason: expect.stringMatching(/unknown/) }]);
      expect(outcome.predictions).toHaveLength(2);
      expect(await lmd(['predict', 'run', 'new/broken.png'], folder)).toMatchObject({ code: 1, stdout: '' });
    } finally {
      rmSync(at('new', 'broken.png'));
      rmSync(at('new', 'notes.txt'));
    }
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ['an input that does not exist', ['run', 'nowhere'], 2, /nowhere does not exist\. Use the path of an image/],
    ['a folder without images', ['run', 'run/lmd/checkpoints'], 2, /has no images\. Images end in \.jpg/],
    ['a model that does not exist', ['nowhere', 'new'], 1, /nowhere does not exist/],
    ['two forms', ['run', 'new', '--json', '--csv'], 2, /cannot be combined/],
    ['--samples 0', ['run', 'new', '--samples', '0'], 2, /--samples/],
  ])('refuses %s', async (_, words, code, message) => {
    const outcome = await lmd(['predict', ...words], folder);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(message);
  });

  it('of data that are no pictures says what is missing', async () => {
    await lmd(['train', ...tiny, '--only', 'adamw', '--out', 'synthetic'], folder);
    for (const words of [['predict'], ['add-class', '--out', 'wider.safetensors']]) {
      const { code, stderr } = await lmd([...words, 'synthetic', 'new/a.png'], folder);
      expect(code).toBe(1);
      expect(stderr).toMatch(/does not say how a picture is prepared for it\. Use a model that was trained on images/);
    }
  });
});

describe('lmd add-class', () => {
  const addClass = (...words: string[]) => lmd(['add-class', 'run', ...words], folder);

  /** Half dark and half light, which neither trained class is. */
  beforeAll(async () => {
    mkdirSync(at('striped'));
    for (const n of [0, 1, 2, 3]) {
      const data = Uint8Array.from({ length: 360 }, (_, i) => ((i / 36) % 2 < 1 ? 200 : 20) + ((i * 31 + n * 7) % 40));
      const stripes = sharp(data, { raw: { width: 12, height: 10, channels: 3 } });
      writeFileSync(at('striped', `${n}.png`), await stripes.png().toBuffer());
    }
    writeFileSync(at('striped', 'notes.txt'), 'Stripes.');
  });

  it('adds a class that predict finds, and leaves the logits of the others in proportion', async () => {
    const { stdout, stderr, code } = await addClass('striped', '--out', 'wider.safetensors');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^note 1 file is not an image by name, such as .*notes\.txt\n$/);
    expect(stdout).toContain('Added striped from 4 images; the model has 3 classes now.');
    const { classNames: names, predictions } = await json('wider.safetensors', 'striped');
    expect(names).toEqual([...classNames, 'striped']);
    expect(predictions.map(({ className }) => className)).toEqual(Array(4).fill('striped'));
    const of = async (model: string) => {
      const [{ top } = { top: [] }] = (await json(model, 'new/a.png')).predictions;
      const probability = (name: string) => top.find(({ className }) => className === name)!.probability;
      return probability('day') / probability('night, dark');
    };
    expect(await of('wider.safetensors')).toBeCloseTo(await of('run'), 4);
  });

  it('skips images that cannot be decoded and names them, and gives a file without an extension that of its format', async () => {
    cpSync(at('striped'), at('damaged'), { recursive: true });
    writeFileSync(at('damaged', 'none.png'), 'no image');
    const words = ['damaged', '--name', 'striped', '--out', 'skipping'];
    const { stdout, stderr, code } = await addClass(...words, '--json');
    expect({ code, skipped: JSON.parse(stdout).skipped }).toEqual({ code: 0, skipped: ['none.png'] });
    expect(stderr).toContain('note none.png cannot be decoded and is skipped\n');
    expect(sha256(at('skipping.safetensors'))).toBe(sha256(at('wider.safetensors')));
    mkdirSync(at('nothing'));
    writeFileSync(at('nothing', 'none.png'), 'no image');
    for (const [images, message] of [
      ['nothing', 'nothing has no image that can be decoded.'],
      [join('nothing', 'none.png'), 'cannot be decoded'],
    ] as const) {
      const refused = await addClass(images, '--name', 'x', '--out', 'refused');
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(message);
      expect(existsSync(at('refused.safetensors'))).toBe(false);
    }
  });

  it('has no posterior, and says so', async () => {
    const { code, stderr } = await lmd(['predict', 'wider.safetensors', 'striped', '--samples', '2'], folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(/posterior/);
  });

  it.each([
    [['striped', '--out', 'wider.safetensors'], /already exists.*--force/s],
    [['striped', '--out', 'x.safetensors', '--name', 'day'], /already has a class day.*--name/s],
    [['striped', '--out', 'x.safetensors', '--name', ' '], /--name " " is empty\. Give the new class a name/],
    [['striped', '--out', '.'], /--out \. is a folder\. Use the path of a file, such as model\.safetensors/],
    [['striped', '--out', 'x/'], /--out x\/ is a folder/],
    [['nowhere', '--out', 'x.safetensors'], /nowhere does not exist/],
    [['pictures.json', '--out', 'x.safetensors'], /pictures\.json/],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await addClass(...words);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(existsSync(at('x.safetensors'))).toBe(false);
  });
});
