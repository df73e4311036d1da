import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rejection, temporaryFolder } from '../../test/temporary-folder.js';
import { charactersOf, characterTokenizer, gpt2Tokenizer, partOf, type Tokenizer } from '../text/index.js';
import { openTokenFile, stateOfTheUnion, writeTokenFiles } from './index.js';

const base = await temporaryFolder();
let folders = 0;
const newFolder = () => join(base, String(folders++));
const gpt2 = await gpt2Tokenizer();
const documents = Array.from({ length: 40 }, (_, index) => ({
  name: `d${index}`,
  text: `Document ${index}: ${'so it goes, '.repeat(index)}`,
}));

/** The tokens as a program would write them that knows nothing of this package. */
async function expectedTokens(part: string, fraction: number, seed: number): Promise<number[]> {
  const tokens: number[] = [];
  for (const { name, text } of documents) {
    if (partOf(name, fraction, seed) === part) tokens.push(...gpt2.encode(text), 50256);
  }
  return tokens;
}
const readTokens = async (path: string) => {
  const bytes = await readFile(path);
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16LE(2 * index));
};

describe('writeTokenFiles', () => {
  it('writes documents one after the other, each with 50256 behind it, in two parts', async () => {
    const folder = newFolder();
    const progress: number[] = [];
    const written = await writeTokenFiles({
      folder,
      documents: [...documents, { name: 'empty', text: '' }],
      tokenizer: gpt2,
      validation: 0.25,
      seed: 3,
      onProgress: ({ documents: count }) => progress.push(count),
    });
    expect((await readdir(folder)).sort()).toEqual(['train.bin', 'train.bin.json', 'val.bin', 'val.bin.json']);
    for (const [part, file] of [
      ['train', 'train.bin'],
      ['validation', 'val.bin'],
    ] as const) {
      const tokens = await readTokens(join(folder, file));
      expect(tokens).toEqual(await expectedTokens(part, 0.25, 3));
      const description = JSON.parse(await readFile(join(folder, `${file}.json`), 'utf8'));
      expect(description).toEqual(written[part]);
      expect(description).toMatchObject({
        part,
        tokens: tokens.length,
        documents: tokens.filter((token) => token === 50256).length,
        tokenizer: { name: 'gpt2' },
        vocabularySize: 50257,
        split: { validation: 0.25, seed: 3 },
        sha256: createHash('sha256')
          .update(await readFile(join(folder, file)))
          .digest('hex'),
      });
    }
    expect(written.train.documents + written.validation!.documents).toBe(40);
    expect(written.emptyDocuments).toBe(1);
    expect(progress.at(-1)).toBe(40);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('takes texts in parts, and gives the same files', async () => {
    const [whole, parts] = [newFolder(), newFolder()];
    await writeTokenFiles({ folder: whole, documents, tokenizer: gpt2 });
    async function* inParts() {
      for (const { name, text } of documents) yield { name, text: [text.slice(0, 5), text.slice(5)] };
    }
    await writeTokenFiles({ folder: parts, documents: inParts(), tokenizer: gpt2 });
    for (const file of await readdir(whole)) {
      expect(await readFile(join(parts, file))).toEqual(await readFile(join(whole, file)));
    }
  });

  it('leaves no old validation file beside a corpus that has none', async () => {
    const folder = newFolder();
    await writeTokenFiles({ folder, documents, tokenizer: gpt2 });
    await writeTokenFiles({ folder, documents, tokenizer: gpt2, validation: 0 });
    expect((await readdir(folder)).sort()).toEqual(['train.bin', 'train.bin.json']);
  });

  it('leaves what was there, and nothing of its own, where it fails or is interrupted', async () => {
    const folder = newFolder();
    await writeTokenFiles({ folder, documents, tokenizer: gpt2 });
    const before = await readFile(join(folder, 'train.bin'));
    const failure = new Error('no more');
    function* failing() {
      yield documents[3]!;
      throw failure;
    }
    expect(await rejection(writeTokenFiles({ folder, documents: failing(), tokenizer: gpt2 }))).toBe(failure);
    const controller = new AbortController();
    const interrupted = writeTokenFiles({
      folder,
      documents,
      tokenizer: gpt2,
      signal: controller.signal,
      onProgress: ({ documents: count }) => void (count === 5 && controller.abort()),
    });
    expect(await rejection(interrupted)).toMatchObject({ code: 'INTERRUPTED' });
    expect((await readdir(folder)).length).toBe(4);
    expect(await readFile(join(folder, 'train.bin'))).toEqual(before);
    const file = await openTokenFile(join(folder, 'train.bin'));
    await file.verify().finally(() => file.close());
  });

  it('refuses what cannot be written', async () => {
    const folder = newFolder();
    const code = async (options: object) => {
      const error = await rejection(writeTokenFiles({ folder, documents, tokenizer: gpt2, ...options }));
      return `${(error as { code: string }).code} ${(error as { subject: string }).subject}`;
    };
    expect(await code({ documents: [] })).toBe('DATA_CORRUPT documents');
    expect(await code({ documents: [{ name: 'a', text: '' }] })).toBe('DATA_CORRUPT documents');
    expect(await code({ documents: documents.slice(0, 1), validation: 1e-9 })).toBe('INVALID_ARGUMENT validation');
    expect(await code({ validation: 1 })).toBe('INVALID_ARGUMENT validation');
    expect(await code({ validation: -0.1 })).toBe('INVALID_ARGUMENT validation');
    expect(await code({ seed: 0.5 })).toBe('INVALID_ARGUMENT seed');
    expect(await code({ shuffle: true })).toBe('UNKNOWN_OPTION shuffle');
    const wide: Tokenizer = { ...gpt2, vocabularySize: 65537 };
    expect(await code({ tokenizer: wide })).toBe('INVALID_ARGUMENT tokenizer.vocabularySize');
    await writeFile(join(base, 'file'), '');
    expect(await code({ folder: join(base, 'file') })).toBe(`FILE_SYSTEM ${join(base, 'file')}`);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('openTokenFile', () => {
  const folder = join(base, 'open');
  const path = join(folder, 'train.bin');
  const characters = characterTokenizer(charactersOf(documents.map(({ text }) => text)));

  it('reads windows where they lie, with the tokenizer that made them', async () => {
    await writeTokenFiles({ folder, documents, tokenizer: characters, validation: 0 });
    const file = await openTokenFile(path);
    try {
      expect(file.size).toBe(file.description!.tokens);
      expect(file.name).toBe(`train.bin#${file.description!.sha256.slice(0, 12)}`);
      const tokenizer = await file.tokenizer();
      expect(tokenizer.description).toEqual(characters.description);
      const dataset = file.dataset({ length: 16 });
      const all = await readTokens(path);
      const batch = await dataset.batch(Int32Array.of(7, 0, dataset.size - 1));
      [7, 0, dataset.size - 1].forEach((index, row) => {
        const window = all.slice(index * 16, index * 16 + 17);
        expect([...batch.inputs.data.slice(row * 16, row * 16 + 16)]).toEqual(window.slice(0, 16));
        expect([...batch.labels.data.slice(row * 16, row * 16 + 16)]).toEqual(window.slice(1));
      });
      expect(tokenizer.decode(batch.inputs.data.slice(16, 32) as Int32Array)).toBe(
        'Document 0: <|en'.slice(0, 12) + tokenizer.decode(all.slice(12, 16)),
      );
      expect(() => file.dataset({ length: file.size })).toThrow(/, which needs .* tokens/);
      await file.verify();
    } finally {
      await file.close();
    }
    await file.close();
    expect(await rejection(Promise.resolve(file.dataset({ length: 4 }).batch(Int32Array.of(0))))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: path,
    });
  });

  it('opens a file of nanoGPT, which has no description, where the vocabulary is given', async () => {
    const plain = join(folder, 'plain.bin');
    await writeFile(plain, Uint8Array.of(1, 0, 2, 1, 3, 0));
    expect(await rejection(openTokenFile(plain))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'vocabularySize',
    });
    const file = await openTokenFile(plain, { vocabularySize: 50257 });
    expect((await file.dataset({ length: 2 }).batch(Int32Array.of(0))).inputs.data).toEqual(Int32Array.of(1, 258));
    expect(await rejection(file.tokenizer())).toMatchObject({ code: 'DATA_CORRUPT' });
    expect(await rejection(file.verify())).toMatchObject({ code: 'DATA_CORRUPT' });
    await file.close();
  });

  it('refuses a file that is damaged, or not the one that is described', async () => {
    const whole = await readFile(path);
    const description = await readFile(`${path}.json`, 'utf8');
    const copy = join(folder, 'copy.bin');
    const open = async (bytes: Uint8Array, text: string) => {
      await writeFile(copy, bytes);
      await writeFile(`${copy}.json`, text);
      return await openTokenFile(copy);
    };
    expect(await rejection(open(whole.subarray(2), description))).toMatchObject({
      code: 'DATA_CORRUPT',
      subject: copy,
    });
    expect(await rejection(open(whole.subarray(1), description))).toMatchObject({
      code: 'DATA_CORRUPT',
      subject: copy,
    });
    for (const wrong of [
      '{',
      '[]',
      'null',
      '{}',
      description.replace('"version": 1', '"version": 2'),
      description.replace(/"tokens": \d+/, '"tokens": -1'),
      description.replace(/"sha256": "../, '"sha256": "'),
      description.replace('"tokenizer"', '"tokeniser"'),
      description.replace('"version": 1', '"version": 1, "compressed": true'),
      description.replace(/"endOfText": \d+/, '"endOfText": 60000'),
      description.replace(/"part": "\w+"/, '"part": "test"'),
      description.replace(/"split": {[^}]*}/, '"split": null'),
      description.replace(/"seed": \d+/, '"seed": "0"'),
    ]) {
      const message = expect.stringContaining(`${copy}.json`);
      expect(await rejection(open(whole, wrong)), wrong).toMatchObject({ code: 'DATA_CORRUPT', message });
    }
    const changed = Buffer.from(whole);
    changed[100]! ^= 1;
    const file = await open(changed, description);
    expect(await rejection(file.verify())).toMatchObject({ code: 'DATA_CORRUPT', subject: copy });
    await writeFile(copy, whole.subarray(0, 40));
    expect(await rejection(Promise.resolve(file.dataset({ length: 30 }).batch(Int32Array.of(0))))).toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('was truncated'),
    });
    await file.close();
    expect(await rejection(openTokenFile(path, { vocabularySize: 7 }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    await mkdir(join(folder, 'folder.bin'), { recursive: true });
    expect(await rejection(openTokenFile(join(folder, 'folder.bin'), { vocabularySize: 7 }))).toMatchObject({
      code: expect.stringMatching(/DATA_CORRUPT|FILE_SYSTEM/),
    });
    expect(await rejection(openTokenFile(join(folder, 'none.bin'), { vocabularySize: 7 }))).toMatchObject({
      code: 'FILE_SYSTEM',
      value: 'ENOENT',
    });
  });
});

it('prepares the speeches: 2.07 million tokens, held out by speech', async () => {
  const folder = newFolder();
  const written = await writeTokenFiles({ folder, documents: await stateOfTheUnion(), tokenizer: gpt2 });
  expect(written.train.tokens + written.validation!.tokens).toBe(2074068 + 233);
  const share = written.validation!.tokens / 2074301;
  expect(share).toBeGreaterThan(0.05);
  expect(share).toBeLessThan(0.15);
});
