import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rejection, temporaryFolder } from '../../test/temporary-folder.js';
import { openImageTable } from './index.js';

const pictures = fileURLToPath(new URL('../../test/golden/pictures/', import.meta.url));
const base = await temporaryFolder();
const file = join(base, 'labels.csv');
await mkdir(join(base, 'images'));
for (const name of ['444.jpg', 'rgb.png', 'grey.png']) await copyFile(join(pictures, name), join(base, 'images', name));

const open = async (text: string, options: object = {}) => {
  await writeFile(file, text);
  return await openImageTable({ path: file, ...options });
};

describe('openImageTable', () => {
  it('reads quoted values, CRLF, a byte order mark and empty lines, with paths relative to the file', async () => {
    const text = '\uFEFFlabel,path,note\r\n"big ""dog""",images/444.jpg,"a, b"\r\n\r\ncat,images/rgb.png,\r\n';
    const table = await open(text);
    expect(table).toMatchObject({ name: 'labels.csv', size: 2, classNames: ['big "dog"', 'cat'] });
    expect([table.label(0), table.label(1)]).toEqual([0, 1]);
    expect(await table.image(1)).toMatchObject({ width: 17, height: 13, channels: 3 });
    await table.close();
  });

  it('takes other columns and absolute paths, and sorts labels that are numbers as numbers', async () => {
    const rows = ['444.jpg', 'rgb.png', 'grey.png'].map((name, i) => `${join(base, 'images', name)},${[10, 9, 10][i]}`);
    const table = await open(`image,digit\n${rows.join('\n')}\n`, { pathColumn: 'image', labelColumn: 'digit' });
    expect(table.classNames).toEqual(['9', '10']);
    expect([0, 1, 2].map((index) => table.label(index))).toEqual([1, 0, 1]);
    await table.close();
  });

  it.each([
    ['no such column', 'file,label\na.png,cat\n', 1, /no column path in the header \(columns: file, label\)/],
    ['semicolons', 'path;label\na.png;cat\n', 1, /seems to use semicolons/],
    ['an empty file', '', 1, /no column path.*columns: none/],
    ['too many values', 'path,label\nimages/rgb.png,cat,more\n', 2, /it has 3 values, but the header has 2 columns/],
    ['an open quote', 'path,label\nimages/rgb.png,"cat\n', 2, /a quote is not closed/],
    [
      'a file that is not there',
      'path,label\nimages/rgb.png,cat\nimages/no.png,cat\n',
      3,
      /images\/no.png is not a file/,
    ],
    ['a file twice', 'path,label\nimages/rgb.png,a\nimages/../images/rgb.png,b\n', 3, /listed already, on line 2/],
    ['no label', 'path,label\nimages/rgb.png,\n', 2, /label is empty/],
    ['no path', 'path,label\n,cat\n', 2, /path is empty/],
    ['a column twice', 'path,path,label\na,b,c\n', 1, /column path occurs twice/],
  ])('refuses %s, naming the line', async (_, text, line, message) => {
    const error = await rejection(open(text));
    expect(error).toMatchObject({ code: 'DATA_CORRUPT', subject: file, value: line });
    expect(String(error)).toMatch(message);
  });

  it('refuses a header alone, and parquet with the way to convert it', async () => {
    expect(String(await rejection(open('path,label\n')))).toMatch(/lists no images/);
    const error = await rejection(open('PAR1 and so on'));
    expect(error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(/to_csv\("data.csv"/) });
  });
});
