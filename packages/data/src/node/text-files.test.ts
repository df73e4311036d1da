import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, rejection, temporaryFolder } from '../../test/temporary-folder.js';
import type { TextDocument } from '../text/documents.js';
import { readTextFiles } from './index.js';
import { loadOptional } from './optional-package.js';
import { stateOfTheUnion } from './state-of-the-union.js';
import { firstInvalidByte, readUtf8 } from './utf8.js';

const folder = await temporaryFolder();
await mkdir(join(folder, 'corpus', 'b'), { recursive: true });
await mkdir(join(folder, 'empty'));
for (const [name, text] of Object.entries({
  'z.txt': 'last',
  'b/two.MD': 'two',
  'a.txt': '\ufeffone',
  'image.png': '',
})) {
  await writeFile(join(folder, 'corpus', name), text);
}
const texts = async (documents: AsyncIterable<TextDocument>) => {
  const found: [string, string][] = [];
  for await (const { name, text } of documents) {
    found.push([name, typeof text === 'string' ? text : (await collect(text as AsyncIterable<string>)).join('')]);
  }
  return found;
};

describe('readTextFiles', () => {
  it('reads folders in the order of names, and files whatever their ending', async () => {
    const documents = readTextFiles([
      join(folder, 'corpus'),
      join(folder, 'corpus', 'a.txt'),
      join(folder, 'corpus/image.png'),
    ]);
    expect(await texts(documents)).toEqual([
      ['corpus/a.txt', 'one'],
      ['corpus/b/two.MD', 'two'],
      ['corpus/z.txt', 'last'],
      ['a.txt', 'one'],
      ['image.png', ''],
    ]);
  });

  it('leaves out what programs and editors leave in a folder', async () => {
    const root = join(folder, 'hidden');
    for (const inner of ['.ipynb_checkpoints', '__MACOSX', '.git']) {
      await mkdir(join(root, inner), { recursive: true });
      await writeFile(join(root, inner, 'copy.txt'), 'twice');
    }
    await writeFile(join(root, '._a.txt'), 'resource fork');
    await writeFile(join(root, 'a.txt'), 'once');
    expect(await texts(readTextFiles(root))).toEqual([['hidden/a.txt', 'once']]);
  });

  it('tells files of one name apart', async () => {
    const path = join(folder, 'corpus', 'z.txt');
    expect((await texts(readTextFiles([path, path]))).map(([name]) => name)).toEqual(['z.txt', 'z.txt (2)']);
  });

  it('splits a file at a separator', async () => {
    const path = join(folder, 'many.txt');
    await writeFile(path, 'first<|endoftext|>second<|endoftext|>');
    expect(await texts(readTextFiles(path, { separator: '<|endoftext|>' }))).toEqual([
      ['many.txt#1', 'first'],
      ['many.txt#2', 'second'],
    ]);
  });

  it('names what is missing or holds no text', async () => {
    expect(await rejection(collect(readTextFiles(join(folder, 'empty'))))).toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('no text file'),
    });
    expect(await rejection(collect(readTextFiles(join(folder, 'corpus'), { extensions: ['.rst'] })))).toMatchObject({
      remedy: expect.stringContaining('.rst'),
    });
    expect(await rejection(collect(readTextFiles(join(folder, 'none'))))).toMatchObject({
      code: 'FILE_SYSTEM',
      value: 'ENOENT',
    });
    expect(await rejection(collect(readTextFiles(folder, { encoding: 'latin1' } as never)))).toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
  });
});

describe('readUtf8', () => {
  const path = join(folder, 'bytes.txt');

  it('reads any text in blocks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 9 }), async (text, block) => {
        const bytes = new TextEncoder().encode(text);
        await writeFile(path, bytes);
        const expected = new TextDecoder().decode(bytes);
        expect((await collect(readUtf8(path, block))).join('')).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['a lone continuation', [0x41, 0x42, 0x80], 2],
    ['Latin-1', [0x63, 0x61, 0x66, 0xe9, 0x20], 3],
    ['a cut character at the end', [0x41, 0xf0, 0x9f, 0x98], 1],
    ['half a surrogate pair', [0xed, 0xa0, 0x80], 0],
    ['an overlong form', [0x41, 0xc0, 0xaf], 1],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['UTF-16', [0xff, 0xfe, 0x41, 0x00], 0],
  ])('names file and byte of %s, in blocks of any size', async (_, bytes, offset) => {
    // Behind good text, so that the offset counts from the beginning of the file.
    await writeFile(path, Uint8Array.from([...new TextEncoder().encode('é€😀'), ...bytes]));
    for (const block of [1, 2, 3, 4, 5, 100]) {
      expect(await rejection(collect(readUtf8(path, block)))).toMatchObject({
        code: 'DATA_CORRUPT',
        subject: path,
        value: 9 + offset,
        message: expect.stringContaining(`byte ${9 + offset}`),
      });
    }
  });

  it('finds an invalid byte exactly where the decoder refuses', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const decodes = (bytes: Uint8Array) => {
      try {
        decoder.decode(bytes);
        return true;
      } catch {
        return false;
      }
    };
    const byte = fc.constantFrom(
      0x41,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 0 }), fc.array(byte, { maxLength: 8 }), (_, list) => {
        const bytes = Uint8Array.from(list);
        const invalid = firstInvalidByte(bytes);
        expect(invalid === bytes.length).toBe(decodes(bytes));
        expect(decodes(bytes.subarray(0, invalid))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('stateOfTheUnion', () => {
  it('gives every speech under a name of its own', async () => {
    const speeches = await stateOfTheUnion();
    expect(speeches.length).toBe(233);
    expect(new Set(speeches.map(({ name }) => name)).size).toBe(233);
    expect(speeches[0]!.name).toBe('1790 George Washington');
    expect(speeches[0]!.text).toMatch(/^\s*Fellow[- ]Citizens of the Senate and House of Representatives/i);
    expect(speeches.reduce((sum, { text }) => sum + (text as string).length, 0)).toBe(10759831);
  });

  it('says what to install where the package is missing, and hides no other failure', async () => {
    expect(await rejection(loadOptional('some-package-that-nobody-has'))).toMatchObject({
      code: 'ENGINE_MISSING',
      remedy: 'Install it: npm install some-package-that-nobody-has',
    });
    const failing = 'data:text/javascript,throw new Error("of its own")';
    expect(await rejection(loadOptional(failing))).toMatchObject({ message: 'of its own' });
  });
});
