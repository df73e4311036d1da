import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, sha256, start, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const short = ['--set', 'steps=12', 'evaluation.every=6', 'checkpoints.every=4', 'optimizers.lmd.schedule.warmup=2'];

async function picture(...path: string[]): Promise<void> {
  mkdirSync(at(...path.slice(0, -1)), { recursive: true });
  const shade = path.at(-2) === 'dark' ? 40 : 200;
  const create = { width: 70, height: 56, channels: 3, background: { r: shade, g: 90, b: 255 - shade } } as const;
  await sharp({ create })
    .jpeg()
    .toFile(at(...path));
}

beforeAll(async () => {
  for (const name of ['dark', 'light']) {
    for (let i = 0; i < 15; i++) await picture('pictures', name, `${i}.jpg`);
  }
  writeFileSync(at('pictures', 'notes.txt'), 'a note');
  writeFileSync(at('pictures', 'dark', 'damaged.jpg'), readFileSync(at('pictures', 'dark', '0.jpg')).subarray(0, 100));
  const line = (i: number) => `Row ${i % 10}: one, two, three, four.\n`;
  writeFileSync(at('book.txt'), Array.from({ length: 400 }, (_, i) => line(i)).join(''));
  writeFileSync(
    at('rows.csv'),
    `path,label\n${[0, 1, 2, 3, 4, 5].map((i) => `pictures/${i < 3 ? 'dark' : 'light'}/${i}.jpg,${i < 3 ? 'd' : 'l'}`).join('\n')}\n`,
  );
});

describe('lmd train with data as its one argument', () => {
  it('trains on a folder of images, shows and saves the configuration, and reports the preprocessing', async () => {
    const { code, stdout, stderr } = await lmd(['train', 'pictures', ...short, '--out', 'run'], folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Configuration for 31 images:\n\{\n/);
    // Notes that follow stay on the screen.
    expect(stdout.indexOf('\n}\n')).toBeLessThan(1000);
    expect(stdout.slice(0, stdout.indexOf('\n}\n')).split('\n').length).toBeLessThan(20);
    expect(stdout).toMatch(/1 image cannot be decoded and is skipped: .*damaged\.jpg/);
    expect(stdout).toMatch(/saved with every default in run.config\.json/);
    expect(stdout).toMatch(/1 file is not used .*notes\.txt/s);
    const saved = JSON.parse(readFileSync(at('run', 'config.json'), 'utf8'));
    expect(saved).toMatchObject({
      name: 'pictures',
      data: { kind: 'imageFolder', folder: at('pictures'), size: 64 },
      model: { kind: 'vit', patchSize: 8, pooling: 'classToken' },
    });
    const report = readFileSync(at('run', 'report.html'), 'utf8');
    expect(report).toMatch(/the largest centred square, resized to 64 × 64 pixels \(bilinear\); RGB normalized/);
    // Every layout has a model of it.
    for (const layout of ['transformers', 'timm', 'onnx']) {
      const exported = await lmd(['export', 'run', '--layout', layout, '--out', layout], folder);
      expect({ layout, code: exported.code, stderr: exported.stderr }).toEqual({ layout, code: 0, stderr: '' });
    }
    // The saved configuration is one that can be edited and run.
    writeFileSync(at('edited.json'), JSON.stringify({ ...saved, name: 'edited', seed: 0 }));
    expect(await lmd(['train', 'edited.json', '--out', 'edited'], folder)).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(at('edited', 'lmd', 'metrics.jsonl'), 'utf8').split('\n').length).toBeGreaterThan(12);
  });

  it('trains on a text, resumes to the same bits, and notices a changed text', async () => {
    expect(await lmd(['train', 'book.txt', ...short, '--out', 'text'], folder)).toMatchObject({ code: 0, stderr: '' });
    const metadata = JSON.parse(readFileSync(at('text', 'summary.json'), 'utf8'));
    expect(metadata.environment.data).toMatch(/text from .*book\.txt \(1 document/);
    const interrupted = start(['train', 'book.txt', ...short, '--out', 'part', '--json'], folder, (event, child) => {
      if (event.type === 'step' && event.step === 6) child.kill('SIGINT');
    });
    expect((await interrupted.done).code).toBe(130);
    const book = readFileSync(at('book.txt'), 'utf8');
    writeFileSync(at('book.txt'), book.replace('Row 7', 'Row 8'));
    const changed = await lmd(['train', '--resume', 'part'], folder);
    expect([changed.code, changed.stderr]).toEqual([
      1,
      expect.stringMatching(/data has changed since the run started/),
    ]);
    writeFileSync(at('book.txt'), book);
    expect(await lmd(['train', '--resume', 'part'], folder)).toMatchObject({ code: 0, stderr: '' });
    expect(sha256(at('part', 'model.safetensors'))).toBe(sha256(at('text', 'model.safetensors')));
    const generated = await lmd(['generate', 'part', '--prompt', 'Row 1', '--max-tokens', '4'], folder);
    expect(generated).toMatchObject({ code: 0 });
  });

  it('trains on a CSV of images', async () => {
    const { code, stderr, stdout } = await lmd(['train', 'rows.csv', ...short, '--out', 'csv'], folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Configuration for 6 images:/);
  });

  it('reads JSON Lines by the field that --set names', async () => {
    const lines = Array.from({ length: 200 }, (_, i) =>
      JSON.stringify({ body: `Row ${i % 10} of a list.\n`, text: 1 }),
    );
    writeFileSync(at('rows.jsonl'), lines.join('\n'));
    const words = ['train', 'rows.jsonl', ...short, 'data.field=body', '--out', 'lines'];
    expect(await lmd(words, folder)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a start that fails', () => {
  const runs = () => (existsSync(at('runs')) ? readdirSync(at('runs')) : []);
  beforeAll(async () => {
    mkdirSync(at('smoke'));
    mkdirSync(at('old'));
    writeFileSync(at('old', 'config.json'), '{}');
    mkdirSync(at('mixed'));
    writeFileSync(at('mixed', 'a.txt'), 'a text');
    await picture('mixed', 'dark', 'a.jpg');
    mkdirSync(at('nothing'));
    for (const name of ['dark', 'light']) await picture('few', name, '1.jpg');
    for (const name of ['dark', 'light']) {
      for (let i = 0; i < 3; i++) {
        mkdirSync(at('broken', name), { recursive: true });
        writeFileSync(at('broken', name, `${i}.jpg`), 'no image');
      }
    }
    writeFileSync(at('table.parquet'), 'PAR1');
    writeFileSync(at('tiny.txt'), 'abc');
    writeFileSync(at('own.json'), '{}');
    writeFileSync(at('bad.csv'), 'path,label\npictures/dark/0.jpg,a\nmissing.jpg,b\n');
    writeFileSync(at('bad.jsonl'), '{"text": "a"}\n{"body": "b"}\n');
  });

  it.each([
    [['smoke'], /smoke is a preset, and there is a file or folder of that name. Use --preset smoke, or .\/smoke/],
    [['mixed'], /mixed has both images \(1\) and text files \(1\).*data.kind/],
    [['nothing'], /nothing has no images and no text/],
    [['old'], /old is a run folder. Resume it with lmd train --resume old/],
    [['few'], /The class dark has 1 image, but each of 3 parts needs one/],
    [['broken'], /no image that can be decoded/],
    [['table.parquet'], /is a parquet file.*import pandas/],
    [['tiny.txt'], /data.length is 32, but the .* text/],
    [['bad.csv'], /bad.csv, line 3: missing.jpg is not a file/],
    [
      ['bad.jsonl'],
      /bad.jsonl, line 2: it has no field text \(fields: body\).*Name the field of the text with data.field/s,
    ],
    [
      ['rows.csv', '--set', 'data.labelColumn=kind'],
      /no column kind.*Name the columns with data.pathColumn and data.labelColumn/s,
    ],
    [['tiny.txt', '--set', 'data.field=body'], /data.field is body, but tiny.txt has no JSON Lines file/],
    [['pictures', '--set', 'data.validation=2000'], /data.validation is 2000, but there are 30 images of 2 classes/],
    [
      ['tiny.txt', '--preset', 'digits'],
      /--preset digits cannot train on tiny.txt, which is text. Use --preset own-text, or omit --preset/,
    ],
    [['own.json', '--preset', 'digits'], /Write "preset": "digits" in own.json, and omit --preset/],
    [['pictures', '--set', 'model.patchSize=7'], /model.patchSize = 7, which does not fit/],
    [['pictures', '--set', 'data.size=30'], /patchSize/],
  ])('%o says why, and leaves no run folder', async (words, message) => {
    const { code, stderr } = await lmd(['train', ...words], folder);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/Unexpected failure/);
    expect(runs()).toEqual([]);
  });
});
