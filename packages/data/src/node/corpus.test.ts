import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { readCorpus } from './index.js';

const base = await temporaryFolder();
const place = async (name: string, text: string | Uint8Array) => {
  await mkdir(join(base, name, '..'), { recursive: true });
  await writeFile(join(base, name), text);
  return join(base, name);
};
const texts = (options: Parameters<typeof readCorpus>[0]) =>
  readCorpus(options).documents.map(({ name, text }) => [name, text]);
const thrown = (options: Parameters<typeof readCorpus>[0]) => {
  try {
    return readCorpus(options);
  } catch (error) {
    return error;
  }
};

describe('readCorpus', () => {
  it('reads one file, whatever its ending, and splits it if asked', async () => {
    const path = await place('book.text', '\uFEFFone|two||three');
    expect(texts({ path })).toEqual([['book.text', 'one|two||three']]);
    expect(texts({ path, separator: '|' })).toEqual([
      ['book.text#1', 'one'],
      ['book.text#2', 'two'],
      ['book.text#4', 'three'],
    ]);
  });

  it('reads a folder in the order of names, and names what is not used', async () => {
    await place('folder/b/last.md', 'last');
    await place('folder/a.txt', 'first');
    await place('folder/lines.jsonl', '{"text":"second"}\n\n{"text":"third","id":3}\n');
    const image = await place('folder/picture.png', 'no text');
    await place('folder/.hidden.txt', 'hidden');
    expect(texts({ path: join(base, 'folder') })).toEqual([
      ['a.txt', 'first'],
      ['b/last.md', 'last'],
      ['lines.jsonl#1', 'second'],
      ['lines.jsonl#2', 'third'],
    ]);
    expect(readCorpus({ path: join(base, 'folder') }).unused).toEqual([image]);
  });

  it('takes another field of JSON Lines', async () => {
    const path = await place('speech.ndjson', '{"body":"a\\nb","text":1}\r\n{"body":"c"}');
    expect(texts({ path, field: 'body' })).toEqual([
      ['speech.ndjson#1', 'a\nb'],
      ['speech.ndjson#2', 'c'],
    ]);
  });

  it.each([
    ['no JSON', '{"text":"a"}\n{"text":', /line 2: it is not valid JSON/],
    ['a list', '["a"]', /line 1: it is not a JSON object/],
    ['another field', '{"text":"a"}\n\n{"body":"a","id":1}', /line 3: it has no field text \(fields: body, id\)/],
    ['a number', '{"text":7}', /line 1: the field text is not a string/],
  ])('refuses JSON Lines with %s, naming the line', async (_, text, message) => {
    const path = await place('bad.jsonl', text);
    expect(thrown({ path })).toMatchObject({ code: 'DATA_CORRUPT', message: expect.stringMatching(message) });
  });

  it('refuses parquet with the way to convert it, alone and in a folder', async () => {
    const path = await place('parquet/data.parquet', 'PAR1…');
    for (const where of [path, join(base, 'parquet')]) {
      expect(thrown({ path: where })).toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringMatching(/to_json\("data.jsonl"/),
      });
    }
  });

  it('refuses what is no text, empty, missing, or too large', async () => {
    const latin = await place('latin.txt', Uint8Array.of(0x61, 0xe9, 0x62));
    expect(String(thrown({ path: latin }))).toMatch(/not valid UTF-8: byte 1 is 0xE9/);
    expect(String(thrown({ path: await place('empty.txt', '') }))).toMatch(/has no text/);
    expect(thrown({ path: join(base, 'nothing.txt') })).toMatchObject({ code: 'FILE_SYSTEM' });
    const plain = await place('plain.txt', 'text');
    expect(thrown({ path: plain, field: 'body' })).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'field' });
    const large = await place('large.txt', 'a');
    await truncate(large, 2 ** 28 + 1);
    expect(thrown({ path: large })).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/lmd data prepare/),
    });
  });
});
