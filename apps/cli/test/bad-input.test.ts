import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { version } from '../package.json';
import { lmd, lmdProcess, sha256, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();

/** Runs `lmd`, and checks that it fails with one message and no stack trace. */
async function fail(code: number, ...words: string[]): Promise<string> {
  const outcome = await lmd(words, folder);
  expect(outcome, outcome.stderr).toMatchObject({ code, stdout: expect.any(String) });
  expect(outcome.stderr).not.toMatch(/\n\s+at /);
  expect(outcome.stderr).toMatch(/^error/);
  return outcome.stderr;
}

const idx = (magic: number, extents: readonly number[], data: Uint8Array): Uint8Array => {
  const header = Buffer.alloc(4 + 4 * extents.length);
  header.writeUInt32BE(magic);
  extents.forEach((extent, axis) => {
    header.writeUInt32BE(extent, 4 + 4 * axis);
  });
  return Buffer.concat([header, data]);
};

/** MNIST's four files, small: 40 training and 20 test images. */
function mnistFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [part, examples] of [
    ['train', 40],
    ['t10k', 20],
  ] as const) {
    const labels = Uint8Array.from({ length: examples }, (_, index) => index % 10);
    const images = new Uint8Array(examples * 784).map((_, index) => (index * 7) % 256);
    writeFileSync(join(path, `${part}-images-idx3-ubyte`), idx(0x803, [examples, 28, 28], images));
    writeFileSync(join(path, `${part}-labels-idx1-ubyte`), idx(0x801, [examples], labels));
  }
  return path;
}

const onMnist = (path: string) => [
  ...['train', 'first-light', '--only', 'adamw', '--set', 'steps=2', 'batchSize=8', 'data.validation=8'],
  ...['optimizers.adamw.schedule.warmup=0', `data.folder=${path}`],
];

describe('the command line', () => {
  it.each([
    [
      ['train'],
      'the configuration is missing. Use a JSON file, a preset (first-light, digits, clothes, own-pictures, own-text, ',
    ],
    [
      ['train', '--preset', 'smok'],
      "'smok' is invalid. Allowed choices are first-light, digits, clothes, own-pictures, own-text, speeches, smoke.",
    ],
    [['train', 'x.json', '--preset', 'smoke'], '--preset smoke and x.json cannot be combined'],
    [['train', 'smok'], 'smok is neither a preset nor a file. Did you mean "smoke"?'],
    [['train', 'smoke', '--stpes', '3'], "unknown option '--stpes'"],
    [
      ['worker', 'nats://host', '--priorty', 'high'],
      'Options of lmd worker: --parallel, --threads, --data, --work, --idle.\nRun lmd worker --help for its options',
    ],
    [['trian', 'smoke'], "unknown command 'trian'"],
    [['train', 'smoke', 'more'], 'too many arguments'],
    [
      ['train', 'smoke', '--only', 'adam'],
      'the configuration has no such optimizer. Did you mean "adamw"? Allowed: lmd, adamw.',
    ],
    [['train', 'smoke', '--set', 'steps'], '--set steps is not an assignment'],
    [['train', '--resume', '.', '--out', 'x'], '--resume and --out cannot be combined'],
    [['train', '--resume', '.', '--only', 'lmd'], '--resume and --only cannot be combined'],
    [['train', '--resume', 'nowhere'], 'is not a run folder'],
    [['evaluate', 'nowhere'], 'is not a run folder'],
  ])('%j ends with 2 and says what is wrong', async (words, message) => {
    expect(await fail(2, ...words)).toContain(message);
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('takes a preset by --preset as well', async () => {
    const settings = ['--set', 'steps=6', '--only', 'adamw', '--out', 'preset'];
    expect(await lmd(['train', '--preset', 'smoke', ...settings], folder)).toMatchObject({ code: 0, stderr: '' });
  });

  it('shows help, with examples, and ends with 0', async () => {
    const help = await lmd(['--help'], folder);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('lmd train first-light');
    expect(await lmd(['--version'], folder)).toMatchObject({ code: 0, stderr: '', stdout: `${version}\n` });
  });
});

describe('the configuration', () => {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return name;
  };

  it.each([
    [
      'stepz=3',
      'the configuration has no option "stepz". Did you mean "steps"? Its options are name, seed, dataSeed, steps',
    ],
    ['precision=mxfp6', 'precision = "mxfp6" is not allowed. '],
    [
      'backend=tfjs-wsm',
      'Did you mean "tfjs-wasm"? Allowed: cpu, webgpu, tfjs-node, tfjs-node-gpu, tfjs-wasm, tfjs-cpu, reference, or a module',
    ],
    ['steps=many', 'steps = "many" has the wrong type; expected: number.'],
    ['optimizers.lmd.noise=-1', 'optimizers.0.noise = -1 is out of range; allowed: at least 0.'],
    ['optimizers.lmd.nosie=1', 'optimizers.0 has no option "nosie". Did you mean "noise"?'],
    ['optimizers.lmd.rule=lamb.mjs', 'ivon, module. The path of a module begins with ./: ./lamb.mjs.'],
    ['optimizers.adamw.name=LMD', 'is the name of two optimizers'],
    [
      'optimizers.lmd.schedule.warmup=24',
      'optimizers.lmd.schedule.warmup is 24, but the run has 24 steps. Use a number below 24, or more steps.',
    ],
    ['model.depth=1e9', 'model.depth = 1000000000 is out of range; allowed: at most 1000.'],
    ['batchSize=1e12', 'batchSize = 1000000000000 is out of range; allowed: at most 1000000.'],
    ['steps=1e15', 'steps = 1000000000000000 is out of range; allowed: at most 1000000000.'],
    ['model.width=1000000', 'parameters, which take at least 96.0 TB'],
    ['data.train=1e9', 'data.train is 1000000000: images of 8 × 8 × 1 would take 256 GB.'],
    ['backend={"toString":1}', 'backend = {"toString":1} is not allowed. Allowed: cpu,'],
    [
      'model.preset=S/16',
      'model.preset = S/16 has patchSize = 16, which does not fit. It must divide imageSize (8): use one of 1, ' +
        '2, 4, 8. Set model.patchSize.',
    ],
    ['model.heads=3', 'model.heads = 3, which does not fit. It must divide width (32): use one of 1, 2, 4, 8, 16, 32.'],
    [
      'model.patchSize=5',
      'model.patchSize = 5, which does not fit. It must divide imageSize (8): use one of 1, 2, 4, 8.',
    ],
    ['batchSize=1000', 'batchSize is 1000, but data.train has 96 examples. Use at most 96.'],
  ])('refuses %s, naming key, value and what is allowed', async (assignment, message) => {
    expect(await fail(2, 'train', 'smoke', '--set', assignment)).toContain(message);
  });

  it("shortens a preset's warm-up for fewer steps, unless it was chosen", async () => {
    const words = ['train', 'smoke', '--set', 'steps=4', 'evaluation.every=4'];
    expect(await lmd([...words, '--out', 'short'], folder)).toMatchObject({ code: 0 });
    const { optimizers } = JSON.parse(readFileSync(join(folder, 'short', 'config.json'), 'utf8'));
    expect(optimizers.map(({ schedule }: { schedule: object }) => schedule)).toMatchObject([
      { warmup: 0 },
      { warmup: 0 },
    ]);
    const chosen = await fail(2, ...words, 'optimizers.lmd.schedule.warmup=4');
    expect(chosen).toContain('schedule.warmup is 4, but the run has 4 steps. Use a number below 4, or more steps.');
    const own = file('shorter.json', '{ "preset": "smoke", "steps": 4 }');
    expect(await lmd(['train', own, '--out', 'shorter'], folder)).toMatchObject({ code: 0 });
  });

  it('refuses files that are no configuration', async () => {
    expect(await fail(2, 'train', file('cut.json', '{"steps": 3'))).toMatch(/cut\.json is not a readable JSON file/);
    expect(await fail(2, 'train', file('deep.json', '['.repeat(1e5) + ']'.repeat(1e5)))).toContain('nested');
    expect(await fail(2, 'train', file('list.json', '[]'))).toContain('list.json does not contain a JSON object');
    expect(await fail(2, 'train', file('empty.json', '{}'))).toMatch(/has 4 errors:\n {2}- steps is missing/);
  });

  it('shows where an error comes from with LMD_DEBUG=1', async () => {
    const outcome = await lmdProcess(['train', 'smok'], folder, { LMD_DEBUG: '1' });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toMatch(/\n\s+at /);
  });

  it('ends JSON lines with the error', async () => {
    const outcome = await lmd(['train', 'smoke', '--set', 'steps=0', '--json'], folder);
    expect(outcome.code).toBe(2);
    expect(outcome.events).toEqual([
      { type: 'error', code: 'INVALID_ARGUMENT', subject: 'steps', message: expect.stringContaining('at least 1') },
    ]);
  });
});

describe('data', () => {
  it('trains on the four files of a folder', async () => {
    const outcome = await lmd([...onMnist(mnistFolder('whole')), '--out', 'from-folder', '--json'], folder);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  });

  it('refuses a cut IDX file by name', async () => {
    const path = mnistFolder('cut');
    const file = join(path, 'train-images-idx3-ubyte');
    writeFileSync(file, readFileSync(file).subarray(0, 5000));
    expect(await fail(1, ...onMnist(path))).toMatch(
      /cut.train-images-idx3-ubyte is not a complete IDX file: .*truncated/,
    );
  });

  it('refuses a wrong IDX file by name', async () => {
    const path = mnistFolder('wrong');
    writeFileSync(join(path, 't10k-labels-idx1-ubyte'), 'PNG and so on');
    expect(await fail(1, ...onMnist(path))).toMatch(
      /wrong.t10k-labels-idx1-ubyte is not a complete IDX file: its magic/,
    );
  });

  it('takes data.validation as a number or a fraction, and says what fits', async () => {
    const path = mnistFolder('small');
    const words = ['data.validation=2000', '--out', 'too-many'];
    expect(await fail(1, ...onMnist(path), '--set', ...words)).toContain(
      'data.validation is 2000, but there are 40 training examples. Use a number below 40, or a fraction such as 0.2.',
    );
    expect(existsSync(join(folder, 'too-many'))).toBe(false);
    const fraction = await lmd([...onMnist(path), '--set', 'data.validation=0.2', '--out', 'fraction'], folder);
    expect(fraction, fraction.stderr).toMatchObject({ code: 0 });
  });

  it('refuses a label out of range', async () => {
    const path = mnistFolder('label');
    writeFileSync(join(path, 't10k-labels-idx1-ubyte'), idx(0x801, [20], new Uint8Array(20).fill(10)));
    expect(await fail(1, ...onMnist(path))).toContain(
      'the label of example 0 is 10. Labels must be integers from 0 to 9',
    );
  });

  it('refuses a folder without the files', async () => {
    mkdirSync(join(folder, 'without'));
    expect(await fail(1, ...onMnist('without'))).toContain('train-images-idx3-ubyte');
  });
});

describe('the disk', () => {
  const out = (path: string) => ['train', 'smoke', '--set', 'steps=5', '--only', 'adamw', '--out', path];

  it('refuses a run folder that exists, and leaves it alone', async () => {
    mkdirSync(join(folder, 'taken'));
    writeFileSync(join(folder, 'taken', 'thesis.txt'), 'all my work');
    expect(await fail(1, ...out('taken'))).toMatch(/The run folder .*taken is not empty: it contains thesis\.txt\./);
    expect(readdirSync(join(folder, 'taken'))).toEqual(['thesis.txt']);
    expect(readFileSync(join(folder, 'taken', 'thesis.txt'), 'utf8')).toBe('all my work');
  });

  it('refuses a folder below a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await fail(1, ...out(join('file', 'run')))).toMatch(
      /^error Could not make .*run \((ENOTDIR|EEXIST|ENOENT)\)/,
    );
  });

  it('refuses a place where nothing can be written', async ({ skip }) => {
    skip(process.platform !== 'linux', 'it writes to /sys, which only Linux has');
    expect(await fail(1, ...out('/sys/lmd-run'))).toMatch(
      /^error Could not make \/sys\/lmd-run \((EPERM|EACCES|EROFS)\)/,
    );
  });

  // For root every folder is writable.
  it('refuses a read-only folder', async ({ skip }) => {
    skip((process.getuid?.() ?? 0) === 0, 'no folder is read-only for root, or on Windows');
    mkdirSync(join(folder, 'read-only'));
    chmodSync(join(folder, 'read-only'), 0o555);
    expect(await fail(1, ...out(join('read-only', 'run')))).toContain('EACCES');
  });

  it('stops where it can no longer write, and harms nothing that is written', async () => {
    expect(await lmd([...out('blocked'), '--json'], folder)).toMatchObject({ code: 0 });
    const run = join(folder, 'blocked');
    const model = sha256(join(run, 'adamw', 'model.safetensors'));
    // As if the run had not finished, with a folder in the way of its model.
    for (const path of ['summary.json', 'adamw/summary.json', 'model.safetensors', 'report.html']) {
      rmSync(join(run, path));
    }
    mkdirSync(join(run, 'report.html', 'in-the-way'), { recursive: true });
    expect(await fail(1, 'train', '--resume', 'blocked')).toMatch(/^error .*report\.html/);
    expect(sha256(join(run, 'adamw', 'model.safetensors'))).toBe(model);
    expect(existsSync(join(run, 'summary.json'))).toBe(false);
    rmSync(join(run, 'report.html'), { recursive: true });
    expect(await lmd(['train', '--resume', 'blocked'], folder)).toMatchObject({ code: 0 });
    expect(sha256(join(run, 'model.safetensors'))).toBe(model);
  });

  it('says so where a finished summary is damaged', async () => {
    expect(await lmd([...out('damaged'), '--json'], folder)).toMatchObject({ code: 0 });
    for (const content of ['{', 'null', '[]', '{"results":[{}]}', '{"results":[]}', '']) {
      writeFileSync(join(folder, 'damaged', 'summary.json'), content);
      const message = await fail(1, 'train', '--resume', 'damaged');
      expect(message).toMatch(/summary\.json is damaged: .*\. Delete it and resume/s);
    }
  });
});

describe('evaluate', () => {
  it('refuses formats, weights and rules that there are not', async () => {
    expect(await lmd(['train', 'smoke', '--set', 'steps=5', '--out', 'evaluated', '--json'], folder)).toMatchObject({
      code: 0,
    });
    const refused = (...words: string[]) => fail(2, 'evaluate', 'evaluated', ...words);
    expect(await refused('--format', 'mxfp4')).toContain(
      "argument 'mxfp4' is invalid. Allowed choices are fp32, bf16,",
    );
    expect(await refused('--weights', 'meen')).toContain('Allowed choices are mean, median, sample, average.');
    expect(await refused('--optimizer', 'adam')).toContain('Did you mean "adamw"?');
    expect(await refused('--samples', '3', '--weights', 'mean')).toContain('Omit --weights');
    expect(await refused('--out-of-distribution', 'mnistt')).toContain(
      'is neither a preset, a file, a folder nor data',
    );
    expect(await refused('--out-of-distribution', '{ "kind": "synthetic", "size": 9 }')).toContain('images of 9 × 9');
    expect(await refused('--out-of-distribution', '{ "kind": "synthetic", "noise": -1 }')).toContain('noise = -1');
    expect(await refused('--out-of-distribution', '{ kind: 1 }')).toContain('is no valid JSON');
  });
});
