import { readFileSync } from 'node:fs';
import { parseIdx } from '@lmd/data/images';
import { afterEach, describe, expect, it } from 'vitest';
import { idxFile } from '../scripts/pack-data.mjs';
import { unzipped } from '../src/data/digits.js';
import { defaultsFor, type RunSettings, type Settings } from '../src/settings/settings.js';
import { classify, classifyHeldOut, continuePrompt } from '../src/training/predict.js';
import { type Opened, openController } from './support.js';

const digits = new URL('../public/data/digits-images.gz', import.meta.url);

const settings = (
  runs: readonly [Partial<RunSettings>, Partial<RunSettings>] = [{}, {}],
  data = 'digits' as const,
): Settings => {
  const defaults = defaultsFor(data);
  return { ...defaults, batch: 4, runs: defaults.runs.map((run, n) => ({ ...run, ...runs[n] })) as never };
};

let opened: Opened | undefined;
afterEach(async () => {
  await opened?.controller.close();
  opened = undefined;
});

/** Trains until both runs have made so many steps, and pauses. */
async function trainTo(one: Opened, step: number): Promise<void> {
  one.controller.resume();
  await one.until(() => one.losses.every((losses) => losses.length > step));
  one.controller.pause();
  await one.controller.session.turns.between(async () => {});
}

/** Losses of an uninterrupted run. */
async function uninterrupted(step: number): Promise<readonly number[][]> {
  const one = await openController();
  await one.controller.start(settings(), []);
  await trainTo(one, step);
  await one.controller.close();
  return one.losses.map((losses) => losses.slice(0, step + 1));
}

describe('the runs', () => {
  it('train on digits in FP32 and in MXFP4, learn, and show weights, blocks and predictions', async () => {
    opened = await openController();
    const { controller, losses, reports } = opened;
    await controller.start({ ...settings(), batch: 16 }, []);
    await trainTo(opened, 60);
    for (const one of losses) {
      expect(one[1]).toBeGreaterThan(2);
      expect(one.slice(50).reduce((sum, loss) => sum + loss) / (one.length - 50)).toBeLessThan(1.9);
    }
    expect(losses[0].slice(1, 10)).not.toEqual(losses[1].slice(1, 10));
    const bandwidth = reports.flatMap((one) => (one.type === 'progress' ? one.runs.map((run) => run.bandwidth) : []));
    expect(Math.max(...bandwidth.map((one) => one ?? 0))).toBeGreaterThan(0);
    const view = (await controller.weights({ run: 0, weight: '', format: '', block: 3 }))!;
    expect(view.magnitudes.map(({ label }) => label)).toEqual(['m+', 'm-']);
    expect(view.magnitudes[0]!.logs.quantileCorrelation).toBeGreaterThan(0.98);
    expect(view.names).toContain('head.weight');
    const one = (await controller.weights({ run: 1, weight: 'head.weight', format: '', block: 0 }))!;
    expect(one.magnitudes[0]!.logs.count).toBe(640);
    expect(one.block.format).toBe('mxfp4_e2m1');
    // An image in the form of a prepared input, since Node has no canvas.
    const { inputs } = await controller.session.task.train.batch(Int32Array.of(0));
    const image = { data: inputs.data as Float32Array, shape: [28, 28, 1] };
    const predictions = await classify(controller.session, image);
    for (const { top, step } of predictions) {
      expect(step).toBeGreaterThanOrEqual(60);
      expect(top).toHaveLength(5);
      expect(top[0]!.spread).toBeGreaterThan(0);
    }
    const { picture, predictions: others } = await classifyHeldOut(controller.session, 300);
    expect(others.map(({ top }) => top.length)).toEqual([5, 5]);
    // The held-out examples are in the order of the file, and after the last comes the first.
    expect(await classifyHeldOut(controller.session, 0)).toMatchObject({ picture });
    const { validation } = controller.session.task;
    expect(picture.className).toBe(String((await validation.batch(Int32Array.of(0))).labels.data[0]));
    // A digit is light on a black ground, and its pixels are those of the file.
    const reds = picture.pixels.filter((_, byte) => byte % 4 === 0);
    expect(reds).toHaveLength(28 * 28);
    const images = parseIdx(await unzipped(new Uint8Array(readFileSync(digits))), 'digits').data as Uint8Array;
    const starts = Array.from({ length: 6000 }, (_, n) => n * 784);
    expect(starts.some((start) => reds.every((red, n) => red === images[start + n]))).toBe(true);
    expect(controller.session.backend.memory().tensors).toBeGreaterThan(0);
  });

  it('go on with other settings, and another optimizer begins at the weights of the old', async () => {
    opened = await openController();
    const { controller, losses } = opened;
    await controller.start(settings(), []);
    const held = controller.session.backend.memory().tensors;
    await trainTo(opened, 20);
    await controller.change(
      settings([
        { rate: 0.02, noise: 0.1 },
        { optimizer: 'adamw', format: 'bf16', rate: 0.001 },
      ]),
    );
    await trainTo(opened, 40);
    const { runs } = controller.session;
    expect(runs.map(({ training }) => training!.step)).toEqual([expect.any(Number), expect.any(Number)]);
    expect(runs[1]!.training!.optimizer.name).toContain('adamw');
    // The mean of the old weights, and not a new beginning, whose loss is above 2.4 at first.
    expect(losses[1][21]).toBeLessThan(2.4);
    const view = (await controller.weights({ run: 1, weight: '', format: '', block: 0 }))!;
    expect(view.magnitudes.map(({ label }) => label)).toEqual(['|w|']);
    await controller.change(
      settings([
        { optimizer: 'ivon', rate: 0.1 },
        { optimizer: 'muon', rate: 0.02 },
      ]),
    );
    await trainTo(opened, 45);
    await controller.change(settings());
    expect(controller.session.backend.memory().tensors).toBe(held);
  });

  it('lose their device, and resume to the same bits', async () => {
    const whole = await uninterrupted(45);
    opened = await openController();
    const { controller, losses, notices } = opened;
    await controller.start(settings(), []);
    await trainTo(opened, 31);
    controller.loseDevice();
    controller.resume();
    await opened.until(() => notices().some((text) => text.includes('resumed')));
    await trainTo(opened, 45);
    expect(notices().join()).toMatch(
      /The graphics device was lost at step 3\d\. Training resumed from step 20 on a new device, with the same bits\./,
    );
    expect(losses.map((one) => one.slice(0, 46))).toEqual(whole);
  });

  it('resume with WebAssembly where there is no new device', async () => {
    let count = 0;
    const original = await openController();
    const { open } = original.controller.surroundings;
    opened = await openController({
      async open(device) {
        if (device !== 'wasm' && count++ > 0) throw new Error('no adapter');
        return open(device);
      },
    });
    await opened.controller.start(settings(), []);
    await trainTo(opened, 3);
    opened.controller.loseDevice();
    opened.controller.resume();
    await opened.until(() => opened!.notices().length > 0);
    expect(opened.notices()[0]).toContain('resumed from step 0 with WebAssembly, whose last bits may differ');
    await trainTo(opened, 6);
  });

  it('say what is wrong with a rate that is too large, while the other run goes on', async () => {
    opened = await openController();
    const { controller, reports } = opened;
    await controller.start({ ...settings([{ optimizer: 'muon', rate: 0.3 }, {}]) }, []);
    const run = controller.session.runs[0]!;
    Object.assign(run.optimizer, {
      update: () => {
        throw Object.assign(new Error('In step 1, loss is NaN'), { code: 'NON_FINITE' });
      },
    });
    controller.resume();
    await opened.until(() =>
      reports.some(
        (one) => one.type === 'progress' && one.runs[0]!.failure !== undefined && one.runs[1]!.steps.length > 0,
      ),
    );
    controller.pause();
  });
});

describe('a saved file', () => {
  it('resumes to the same bits', async () => {
    const whole = await uninterrupted(12);
    opened = await openController();
    await opened.controller.start(settings(), []);
    await trainTo(opened, 5);
    const bytes = await opened.controller.save();
    await opened.controller.close();
    opened = await openController();
    expect(await opened.controller.load(bytes, 'run.zip')).toEqual(settings());
    const first = opened.controller.session.runs.map(({ training }) => training!.step);
    await trainTo(opened, 12);
    for (const [n, losses] of opened.losses.entries()) {
      expect(losses.slice(first[n]! + 1, 13)).toEqual(whole[n]!.slice(first[n]! + 1));
    }
  });

  it('that is damaged or of another program changes nothing, and is explained', async () => {
    opened = await openController();
    const { controller } = opened;
    await controller.start(settings(), []);
    await trainTo(opened, 2);
    const bytes = await controller.save();
    const { unzipSync, zipSync } = await import('fflate');
    const entries = unzipSync(bytes);
    const changed = (change: Record<string, Uint8Array | undefined>) => {
      const all = Object.entries({ ...entries, ...change }).filter(
        (entry): entry is [string, Uint8Array] => !!entry[1],
      );
      return zipSync(Object.fromEntries(all), { level: 0 });
    };
    const text = (value: unknown) =>
      new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
    const checkpoint = Object.keys(entries).find((name) => name.startsWith('A/checkpoints/'))!;
    const damaged = entries[checkpoint]!.slice();
    damaged[damaged.length - 9]! ^= 1;
    const other = { format: 'lmd-playground-v1', settings: { ...settings(), runs: [{ optimizer: 'adamw' }, {}] } };
    const cases: [Uint8Array, RegExp][] = [
      [
        text('no zip'),
        /bad\.zip cannot be loaded: it is no zip file, or it is damaged\. Use a file that this page saved/,
      ],
      [bytes.slice(0, bytes.length - 300), /it is no zip file, or it is damaged/],
      [changed({ 'playground.json': undefined }), /it has no playground\.json/],
      [changed({ 'playground.json': text('{') }), /its playground\.json is damaged/],
      [changed({ 'playground.json': text({ format: 'v0' }) }), /its format is v0/],
      [changed({ 'playground.json': text({ format: 'lmd-playground-v1', settings: { batch: -1 } }) }), /batch is -1/],
      [changed({ [checkpoint]: damaged }), /A\/checkpoints\/step-\d+\.safetensors in bad\.zip cannot be read/],
      [changed({ [checkpoint]: undefined }), /no checkpoint of run A/],
      [changed({ 'playground.json': text(other) }), /optimizer is .* in the checkpoint/],
    ];
    for (const [file, message] of cases) {
      await expect(controller.load(file, 'bad.zip'), String(message)).rejects.toThrow(message);
    }
    const { step } = controller.session;
    expect(step).toBeGreaterThanOrEqual(2);
    await trainTo(opened, step + 2);
  });
});

describe("the user's data", () => {
  const file = (path: string, content: string | Uint8Array) => ({ path, blob: new Blob([content as never]) });

  it('is text of characters, continued with the spread of the next', async () => {
    opened = await openController();
    const text = 'the quick brown fox jumps over the lazy dog. '.repeat(100);
    const own = { ...defaultsFor('text'), batch: 2 };
    await opened.controller.start(own, [file('fox.txt', text)]);
    await trainTo(opened, 3);
    const [a] = await continuePrompt(opened.controller.session, 'the q', 1);
    expect(a!.text).toMatch(/^[a-z .]{1,120}$/);
    expect(a!.top).toHaveLength(8);
    expect(a!.top[0]!.spread).toBeGreaterThan(0);
    expect(opened.reports.find((one) => one.type === 'session')).toMatchObject({
      title: /4,500 characters of fox.txt/,
    });
  });

  it('of clothes are part of the site, fetched when they are chosen, and learned', async () => {
    const fetched: string[] = [];
    const folder = new URL('../public/data/', import.meta.url);
    opened = await openController({
      fetch: async (name) => {
        fetched.push(name);
        return new Uint8Array(readFileSync(new URL(name, folder)));
      },
    });
    const { controller, losses } = opened;
    await controller.start(settings(), []);
    expect(fetched).toEqual(['digits-images.gz', 'digits-labels.gz']);
    await controller.start({ ...defaultsFor('clothes'), batch: 16 }, []);
    expect(fetched.slice(2)).toEqual(['clothes-images.gz', 'clothes-labels.gz']);
    const { title, classNames } = controller.session.task;
    expect(title).toBe('3,300 pictures of clothes; 300 others are held out');
    expect(classNames).toHaveLength(10);
    for (const one of losses) one.length = 0;
    await trainTo(opened, 60);
    for (const one of losses) {
      expect(one.slice(50).reduce((sum, loss) => sum + loss) / (one.length - 50)).toBeLessThan(1.8);
    }
    // A saved file needs no copy of them.
    const step = controller.session.step;
    await controller.load(await controller.save(), 'clothes.zip');
    expect(controller.session.step).toBe(step);
  });

  it('that cannot be used is explained, and training goes on', async () => {
    opened = await openController();
    const { controller, notices } = opened;
    await controller.start(settings(), []);
    await trainTo(opened, 2);
    const start = (data: Settings['data'], files: Parameters<typeof controller.start>[1]) =>
      controller.start({ ...defaultsFor(data), batch: 4 }, files);
    await expect(start('text', [file('a.txt', 'short')])).rejects.toThrow(
      /has 5 characters\. Use a text of at least 2,000/,
    );
    await expect(start('text', [file('a.txt', Uint8Array.of(0xff, 0xfe))])).rejects.toThrow(
      /a\.txt is no text in UTF-8/,
    );
    await expect(start('pictures', [])).rejects.toThrow(/The pictures have no class\. Use at least two classes/);
    const labels = file('labels-idx1-ubyte', idxFile(new Uint8Array(12), [12]));
    await expect(start('clothes', [labels])).rejects.toThrow(/IDX file of the images is missing\. Drop both files/);
    await expect(start('clothes', [file('x', 'abc')])).rejects.toThrow(/x/);
    const pictures = ['cat', 'dog'].flatMap((name) =>
      [10, 20, 30, 40].map((n) => file(`all/${name}/${n}.png`, `${n}`)),
    );
    const broken = file('all/cat/broken.png', 'no picture');
    await expect(start('pictures', [...pictures.slice(0, 5), broken])).rejects.toThrow(
      /The class dog has fewer than 3 pictures\. all\/cat\/broken\.png could not be decoded and is left out/,
    );
    const before = controller.session.step;
    await trainTo(opened, before + 2);
    await start('pictures', [...pictures, broken]);
    expect(notices()).toEqual(['all/cat/broken.png could not be decoded and is left out.']);
    const bytes = await controller.save();
    await controller.load(bytes, 'pictures.zip');
    expect(controller.session.task.classNames).toEqual(['cat', 'dog']);
  });
});
