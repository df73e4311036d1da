import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from './command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dale-langevin-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command; `stopAt` aborts it at the first progress line with that text. */
async function command(args: readonly string[], stopAt?: string) {
  const stop = new AbortController();
  let [out, lines] = ['', ''];
  const streams = {
    out: { write: (text: string) => (out += text) },
    progress: {
      isTTY: true,
      write: (text: string) => {
        lines += text;
        if (stopAt !== undefined && text.includes(stopAt)) stop.abort();
      },
    },
  };
  const error = await main(args, streams, stop.signal).then(
    () => undefined,
    (thrown) => thrown,
  );
  return { out, lines, error };
}

const tiny = ['--data', 'mixture', '--steps', '12', '--batch-size', '8', '--levels', '5', '--pictures', '30'];
const read = (run: string, file: string) => readFile(join(folder, run, file));

describe('the command', () => {
  it('writes samples, metrics and a report, and resumes to the same bits', async () => {
    const whole = await command([...tiny, '--out', join(folder, 'whole')]);
    expect(whole.error).toBeUndefined();
    expect(whole.out).toContain('relative error of the score');
    expect(whole.lines).toMatch(/step 12\/12 .* left/);
    expect((await read('whole', 'samples.png')).subarray(1, 4).toString()).toBe('PNG');
    expect((await read('whole', 'report.html')).toString()).toContain('data:image/png;base64,');

    const parts = [...tiny, '--out', join(folder, 'parts')];
    expect((await command(parts, 'step 1/')).error).toMatchObject({ code: 'INTERRUPTED' });
    expect((await command(parts)).error).toBeUndefined();
    expect(await read('parts', 'samples.png')).toEqual(await read('whole', 'samples.png'));
    const lossOf = async (run: string) => JSON.parse((await read(run, 'metrics.json')).toString()).loss;
    expect(await lossOf('parts')).toBe(await lossOf('whole'));
  });

  it('refuses other settings in the folder of a run', async () => {
    const out = join(folder, 'settings');
    await command([...tiny, '--out', out]);
    expect((await command([...tiny, '--seed', '1', '--out', out])).error).toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      subject: 'seed',
    });
  });

  it('writes its table between the markers of a page, or refuses a page without them', async () => {
    const page = join(folder, 'page.md');
    await writeFile(page, '# Page\n\n<!-- results: mixture adamw -->\nold\n<!-- /results -->\n\nEnd\n');
    expect((await command([...tiny, '--out', join(folder, 'page'), '--readme', page])).error).toBeUndefined();
    const text = (await readFile(page)).toString();
    expect(text).toMatch(/^# Page\n\n<!-- results: mixture adamw -->\n\| time[\s\S]*<!-- \/results -->\n\nEnd\n$/);
    expect(text).not.toContain('old');
    await writeFile(page, '# Page\n');
    expect((await command([...tiny, '--out', join(folder, 'page'), '--readme', page])).error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'readme',
    });
  });

  it.each<[string, readonly string[], string, string]>([
    ['an unknown option', ['--stepz', '3'], 'UNKNOWN_OPTION', 'stepz'],
    ['negative steps', ['--steps', '-5'], 'INVALID_ARGUMENT', 'steps'],
    ['no number of steps', ['--steps'], 'INVALID_ARGUMENT', 'steps'],
    ['no inner steps', ['--inner', '0'], 'INVALID_ARGUMENT', 'inner'],
    ['half a level', ['--levels', '2.5'], 'INVALID_ARGUMENT', 'levels'],
    ['other data', ['--data', 'cats'], 'INVALID_ARGUMENT', 'data'],
    ['a precision that there is not', ['--precision', 'mxfp5'], 'INVALID_ARGUMENT', 'precision'],
    ['what is no option', ['digits'], 'INVALID_ARGUMENT', 'arguments'],
  ])('refuses %s', async (_, args, code, subject) => {
    expect((await command([...args, '--out', join(folder, 'refused')])).error).toMatchObject({
      code,
      subject,
    });
  });

  it('refuses pictures that are not square, and a folder without pictures', async () => {
    const idx = (shape: readonly number[], values: number) => {
      const header = [0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, 0, size])];
      return Uint8Array.from([...header, ...new Array<number>(values).fill(1)]);
    };
    for (const part of ['train', 't10k']) {
      await writeFile(join(folder, `${part}-images-idx3-ubyte`), idx([4, 8, 12], 384));
      await writeFile(join(folder, `${part}-labels-idx1-ubyte`), idx([4], 4));
    }
    const out = ['--out', join(folder, 'refused')];
    expect((await command(['--folder', folder, ...out])).error).toMatchObject({
      code: 'SHAPE_MISMATCH',
      value: [8, 12, 1],
    });
    expect((await command(['--folder', join(folder, 'none'), ...out])).error).toMatchObject({ code: 'FILE_SYSTEM' });
  });

  it('describes its options', async () => {
    const { out } = await command(['--help']);
    expect(out).toContain('--learning-rate');
    expect(out).toContain('Default');
  });
});
