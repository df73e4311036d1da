import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runExample } from '@lmd/example-shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daleLangevin } from './command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dale-langevin-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command; `stopAt` is Ctrl-C at the first progress line with that text. */
async function command(args: readonly string[], stopAt?: string) {
  let [out, lines] = ['', ''];
  let stopped = false;
  const streams = {
    out: { write: (text: string) => (out += text) },
    err: {
      isTTY: true,
      write: (text: string) => {
        lines += text;
        if (stopped || stopAt === undefined || !text.includes(stopAt)) return;
        stopped = true;
        process.emit('SIGINT');
      },
    },
  };
  return { code: await runExample(daleLangevin, args, streams), out, lines };
}

const tiny = ['--data', 'mixture', '--steps', '12', '--batch-size', '8', '--levels', '5', '--pictures', '30'];
const recordOf = async (run: string, name = 'dale-langevin-mixture-adamw') =>
  JSON.parse(await readFile(join(folder, run, `${name}.json`), 'utf8'));

/** Four IDX files of 20 pictures each, with two classes: the upper or the lower half is bright. */
async function writePictures(to: string, height: number, width: number) {
  const count = 20;
  const idx = (shape: readonly number[], values: readonly number[]) =>
    Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, 0, size]), ...values]);
  const pixels = Array.from({ length: count * height * width }, (_, at) => {
    const [picture, row] = [Math.floor(at / (height * width)), Math.floor(at / width) % height];
    return row < height / 2 === (picture % 2 === 0) ? 200 : 20;
  });
  for (const part of ['train', 't10k']) {
    await writeFile(join(to, `${part}-images-idx3-ubyte`), idx([count, height, width], pixels));
    await writeFile(
      join(to, `${part}-labels-idx1-ubyte`),
      idx(
        [count],
        Array.from({ length: count }, (_, i) => i % 2),
      ),
    );
  }
}

describe('the command', () => {
  it('compares with the mixture, and resumes bit-identically with the seconds of both runs', async () => {
    const whole = await command([...tiny, '--out', join(folder, 'whole')]);
    expect([whole.code, whole.out]).toEqual([0, expect.stringContaining('relative error of the score, t = 0.05')]);
    const parts = [...tiny, '--out', join(folder, 'parts')];
    const stopped = await command(parts, 'step 1 of 12');
    expect([stopped.code, stopped.lines]).toEqual([130, expect.stringMatching(/The state is in .* to resume/)]);
    expect((await command(parts)).code).toBe(0);
    const [one, two] = [await recordOf('whole'), await recordOf('parts')];
    expect(two.table).toEqual(one.table);
    expect(two.results.loss).toBe(one.results.loss);
    // Complete already: the training of the earlier runs is counted again.
    expect((await command(parts)).code).toBe(0);
    expect((await recordOf('parts')).seconds).toBeGreaterThan(12 * two.results.secondsPerStep - 0.1);
  });

  it('samples pictures, which a classifier judges, into a PNG and a report', async () => {
    await writePictures(folder, 8, 8);
    const args = ['--steps', '3', '--batch-size', '4', '--levels', '3', '--pictures', '6', '--optimizer', 'lmd'];
    const { code, out } = await command([...args, '--folder', folder, '--out', join(folder, 'pictures')]);
    expect([code, out]).toEqual([0, expect.stringMatching(/samples +\| +6 \|/)]);
    const read = (extension: string) =>
      readFile(join(folder, 'pictures', `dale-langevin-digits-lmd.${extension}`), 'latin1');
    expect(await read('png')).toMatch(/^.PNG/);
    expect(await read('html')).toContain('src="data:image/png;base64,');
  }, 30_000);

  it('refuses other settings in the folder of a run', async () => {
    const out = ['--out', join(folder, 'settings')];
    expect((await command([...tiny, ...out])).code).toBe(0);
    const { code, lines } = await command([...tiny, '--seed', '1', ...out]);
    expect([code, lines]).toEqual([1, expect.stringMatching(/seed/)]);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['an unknown option', ['--stepz', '3'], /stepz.*steps/],
    ['negative steps', ['--steps', '-5'], /steps is/],
    ['no number of steps', ['--steps', ''], /steps is/],
    ['no inner steps', ['--inner', '0'], /inner is 0/],
    ['half a level', ['--levels', '2.5'], /levels is 2\.5/],
    ['other data', ['--data', 'cats'], /data is "cats"/],
  ])('refuses %s', async (_, args, message) => {
    const { code, lines } = await command([...args, '--out', join(folder, 'refused')]);
    expect([code, lines]).toEqual([2, expect.stringMatching(message)]);
  });

  it('refuses a precision that there is not, pictures of another size, and a folder without pictures', async () => {
    const out = ['--out', join(folder, 'refused')];
    const mxfp5 = await command([...tiny, '--precision', 'mxfp5', ...out]);
    expect([mxfp5.code, mxfp5.lines]).toEqual([1, expect.stringContaining('mxfp5')]);
    const none = await command(['--folder', join(folder, 'none'), ...out]);
    expect([none.code, none.lines]).toEqual([1, expect.stringContaining(join(folder, 'none'))]);
    await writePictures(folder, 8, 12);
    const oblong = await command(['--folder', folder, ...out]);
    expect([oblong.code, oblong.lines]).toEqual([1, expect.stringMatching(/shape \[8,12,1\]\. Use square pictures/)]);
  });
});
