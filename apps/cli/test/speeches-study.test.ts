import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../../test/documentation.js';
import { renderLossCurves } from '../src/report/loss-file.js';
import { temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const tool = join(root, 'tools', 'speeches');
const schedule = { warmup: 2, keep: 2 };

/** The study itself, with a network, a text and budgets of seconds. One learning rate is one at which training diverges. */
const toy = {
  ...JSON.parse(readFileSync(join(tool, 'study.json'), 'utf8')),
  name: 'toy',
  title: 'A toy',
  data: { source: 'rhymes.txt', separator: '@', tokenizer: 'characters', validation: 0.2, seed: 0 },
  set: {
    ...{ seed: 0, batchSize: 2, 'data.length': 16, 'evaluation.examples': 4, 'evaluation.batchSize': 8 },
    ...{ 'model.width': 32, 'model.heads': 1, 'model.depth': 1 },
  },
  rules: [
    { rule: 'adamw', title: 'AdamW', format: 'fp32', learningRates: [0.0015, 1e30] },
    { rule: 'lmd', title: 'LMD', format: 'mxfp6_e3m2', learningRates: [0.01, 0.016] },
  ],
  // Long enough to be stopped at its score.
  search: { ...schedule, steps: 150, scoreAt: 4, evaluateEvery: 4, checkpointEvery: 1000 },
  final: { ...schedule, steps: 80, evaluateEvery: 40, checkpointEvery: 5 },
  deploy: ['fp32', 'mxfp6_e3m2'],
  samples: { prompts: ['Row'], maxTokens: 6, temperature: 0.8, topK: 40, seed: 0 },
};

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function start(...words: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(tool, 'index.mjs'), ...words], { cwd: folder });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout!.resume();
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr }))) };
}

const run = (...words: string[]) => start('--study', 'toy.json', ...words).ended;
const words = (name: string) => ['--work', at(name), '--out', at(`${name}-page`)];
const json = (...path: string[]) => JSON.parse(readFileSync(at(...path), 'utf8'));
const text = (...path: string[]) => readFileSync(at(...path), 'utf8');

async function until(condition: () => boolean, child: ChildProcess): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null) throw new Error('The tool ended before it was stopped.');
    await wait(5);
  }
}

const stepsOf = (rule: string, rate: string) =>
  text('work', `final-${rule}-${rate}`, rule, 'metrics.jsonl')
    .split('\n')
    .filter((line) => line.startsWith('{"type":"step"'))
    .map((line) => JSON.parse(line).step as number);

function checkpointsOf(rule: string, rate: string): number {
  const path = at('work', `final-${rule}-${rate}`, rule, 'checkpoints');
  return existsSync(path) ? readdirSync(path).filter((name) => name.startsWith('step-')).length : 0;
}

beforeAll(() => {
  const rhyme = (i: number) => `Row ${i % 10}: one, two, three, four.\n`;
  writeFileSync(at('rhymes.txt'), Array.from({ length: 60 }, (_, i) => rhyme(i)).join('@'));
  writeFileSync(at('toy.json'), JSON.stringify(toy));
});

describe('the study of the speeches', () => {
  it('stopped by Ctrl-C in a final run, saves, says how to go on and ends with 130', async () => {
    const { child, ended } = start('--study', 'toy.json', ...words('work'));
    await until(() => checkpointsOf('adamw', '1.5e-3') > 0, child);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('The same command goes on:\n');
    expect(stderr).toContain(' --study toy.json --work ');
    expect(stderr).toContain('search-adamw-1e30: diverged');
    for (const name of ['adamw-1.5e-3', 'lmd-1e-2', 'lmd-1.6e-2']) {
      expect(stderr).toMatch(new RegExp(`search-${name}: validation loss \\d\\.\\d{4}, perplexity \\d+\\.\\d\\d`));
    }
    expect(existsSync(at('work', 'final-adamw-1.5e-3', 'run.lock'))).toBe(false);
    expect(existsSync(at('work', 'search-lmd-1.6e-2', 'lmd', 'checkpoints'))).toBe(false);
    // The test set has no part in the search.
    expect(text('work', 'search-lmd-1.6e-2', 'lmd', 'metrics.jsonl')).not.toContain('"split":"test"');
    expect(text('work-page', 'README.md')).toContain('Partial: the final runs of AdamW and LMD are missing.');
  });

  it('killed by SIGKILL in the next, it has let nobody else in meanwhile', async () => {
    const { child, ended } = start('--study', 'toy.json', ...words('work'));
    await until(() => existsSync(at('work', 'run.lock')), child);
    const refused = await run(...words('work'));
    await until(() => checkpointsOf('lmd', '1.6e-2') > 0, child);
    child.kill('SIGKILL');
    await ended;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Another tool is at work in');
  });

  it('goes on to the end, each step made once', async () => {
    const { code, stderr } = await run(...words('work'));
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/final-adamw-1\.5e-3: .* \(done before\)/);
    const whole = Array.from({ length: 80 }, (_, i) => i + 1);
    expect(stepsOf('adamw', '1.5e-3')).toEqual(whole);
    expect(stepsOf('lmd', '1.6e-2')).toEqual(whole);
    const occasions = json('work', 'occasions.json');
    expect(occasions['search-lmd-1.6e-2']).toHaveLength(1);
    expect(occasions['final-adamw-1.5e-3']).toHaveLength(2);
    expect(occasions['final-lmd-1.6e-2'].length).toBeGreaterThan(1);
  });

  it('writes what it has found, and finds it in its figures again', async () => {
    const results = json('work-page', 'results.json');
    const [adamw, lmd] = results.final;
    const summary = json('work', 'final-lmd-1.6e-2', 'summary.json').results[0];
    expect(lmd).toMatchObject({ rule: 'lmd', format: 'mxfp6_e3m2', learningRate: 0.016 });
    expect(lmd.testLoss).toBeCloseTo(summary.testLoss, 4);
    expect(lmd.testPerplexity).toBeCloseTo(Math.exp(lmd.testLoss), 2);
    expect(results.deployed).toHaveLength(4);
    // In the format of the training, what the run itself found.
    for (const { rule, format, testLoss } of [adamw, lmd]) {
      const same = results.deployed.find((row: typeof lmd) => row.rule === rule && row.format === format);
      expect(same.testLoss).toBeCloseTo(testLoss, 4);
      expect(same.step).toBe(80);
    }
    const page = text('work-page', 'README.md');
    const percent = (100 * lmd.validationPerplexity) / adamw.validationPerplexity;
    expect(page).toContain(`${percent.toFixed(1)} % |`);
    expect(page).toContain(percent <= 105 ? ', within 5 %.' : 'higher, not within 5 %.');
    for (const { prompt, text } of results.samples) expect(page).toContain(`\n${prompt}${text}\n`);
    expect(page).not.toMatch(/NaN|undefined|Infinity|Partial/);
    expect(page).not.toContain(folder);
    expect(text('work-page', 'loss.svg')).toContain('LMD (mxfp6_e3m2), training');
    expect(text('work-page', 'losses.csv').trim().split('\n')).toHaveLength(1 + 2 * 80);

    for (const name of ['README.md', 'loss.svg']) rmSync(at('work-page', name));
    const again = await start('--report', '--out', at('work-page')).ended;
    expect(again.code, again.stderr).toBe(0);
    expect(text('work-page', 'README.md')).toBe(page);
    expect(text('work-page', 'loss.svg')).toContain('LMD (mxfp6_e3m2), training');
  });

  it('has nothing to do the second time, and writes the same', async () => {
    const before = text('work-page', 'README.md');
    const { code, stderr } = await run(...words('work'));
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('beginning');
    expect(text('work-page', 'README.md')).toBe(before);
  });

  it('takes over runs that were made elsewhere, if they are the same on the same text', async () => {
    const found = ['search-adamw-1.5e-3', 'search-adamw-1e30', 'search-lmd-1.6e-2', 'search-lmd-1e-2'];
    for (const name of found) cpSync(at('work', name), at('moved', name), { recursive: true });
    const search = [...words('moved'), '--only', 'search', '--data'];
    const { code, stderr } = await run(...search, at('work', 'data'));
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('beginning');
    expect(text('moved-page', 'README.md')).toContain('taken over; their commit and machine are not recorded');

    cpSync(at('work', 'data'), at('other'), { recursive: true });
    const description = json('other', 'train.bin.json');
    writeFileSync(at('other', 'train.bin.json'), JSON.stringify({ ...description, sha256: '0'.repeat(64) }));
    const strange = await run(...search, at('other'));
    expect(strange.code).toBe(2);
    expect(strange.stderr).toContain('was trained on other text');

    const path = at('moved', found[2]!, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...config, batchSize: 4 }));
    const other = await run(...search, at('work', 'data'));
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('is a run with batchSize = 4, and the study has 2');
  });
});

describe('a study of one rule without a search', () => {
  const { comparison: _, search: __, ...rest } = toy;
  const single = {
    ...rest,
    name: 'single',
    rules: [
      {
        rule: 'lmd',
        title: 'LMD',
        format: 'mxfp6_e3m2',
        learningRates: [0.01],
        set: { regularization: 0.25, noise: 0.02 },
      },
    ],
    final: { ...schedule, steps: 8, evaluateEvery: 4, checkpointEvery: 4 },
  };
  const study = (...given: string[]) => start('--study', 'single.json', ...words('single'), ...given).ended;

  it('makes its final run, with the settings of its own, and compares nothing', async () => {
    writeFileSync(at('single.json'), JSON.stringify(single));
    const { code, stderr } = await study();
    expect(code, stderr).toBe(0);
    const [optimizer] = json('single', 'final-lmd-1e-2', 'config.json').optimizers;
    expect(optimizer).toMatchObject({ rule: 'lmd', regularization: 0.25, noise: 0.02 });
    const page = text('single-page', 'README.md');
    expect(page).toContain('LMD with `regularization` 0.25, `noise` 0.02');
    expect(page).toContain('No other rule has been trained at this budget');
    expect(page).toContain('npm run study:speeches -- --report --out docs/studies/single');
    expect(page).not.toMatch(/NaN|undefined|Infinity|Partial|## Search/);
  });

  it('refuses to search, and several learning rates', async () => {
    const searching = await study('--only', 'search');
    expect([searching.code, searching.stderr]).toEqual([2, expect.stringContaining('has no search')]);
    const [rule] = single.rules;
    writeFileSync(at('single.json'), JSON.stringify({ ...single, rules: [{ ...rule, learningRates: [0.01, 0.02] }] }));
    const several = await study();
    expect([several.code, several.stderr]).toEqual([2, expect.stringContaining('lmd has several learning rates')]);
  });
});

describe('a page of the documentation', () => {
  it.each(['speeches', 'speeches-retuned', 'speeches-long'])(
    'is what its figures say, to the letter: %s',
    async (name) => {
      const { composeFiles, readFigures } = await import(join(tool, 'page.mjs'));
      const documented = join(root, 'docs', 'studies', name);
      const { results, losses } = await readFigures(documented);
      const files: Record<string, string> = composeFiles({ renderLossCurves }, results, losses);
      expect(Object.keys(files)).toContain('README.md');
      for (const [name, contents] of Object.entries(files)) {
        // `npm run study:speeches -- --report` writes them.
        expect(readFileSync(join(documented, name), 'utf8') === contents, name).toBe(true);
      }
    },
  );
});

describe('what is given wrongly', () => {
  it.each([
    [['--frob'], "Unknown option '--frob'"],
    [['--only', 'final'], '--only final is not allowed'],
    [['--study', 'toy.json'], '--study goes with --out'],
    [['--report', '--work', 'w'], '--report and --work do not go together'],
    [['--report', '--out', 'nothing'], 'holds no figures of this study'],
    [['--study', 'nowhere.json', '--out', 'x'], 'is no readable JSON file'],
    [['--study', 'wrong.json', '--out', 'x'], 'final has an unknown key step'],
    [['--study', 'toy.json', '--out', 'x', '--work', 'foreign'], 'is no work folder of this study: it holds notes.txt'],
    [['--study', 'toy.json', '--out', 'x', '--work', 'another'], 'is the work folder of another study'],
    [['--study', 'toy.json', '--out', 'x', '--work', 'toy.json'], 'toy.json is no folder'],
    [['--study', 'toy.json', '--out', 'x', '--work', 'w', '--backend', 'cqu'], 'Did you mean cpu?'],
  ])('%j is refused, and exits with 2', async (given, message) => {
    writeFileSync(at('wrong.json'), JSON.stringify({ ...toy, final: { ...toy.final, step: 3 } }));
    for (const name of ['foreign', 'another']) mkdirSync(at(name), { recursive: true });
    writeFileSync(at('foreign', 'notes.txt'), '');
    writeFileSync(at('another', 'study.json'), '{"format":"lmd-speeches-study-v1","study":"speeches"}');
    const { code, stderr } = await start(...given).ended;
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('writes nothing then', () => {
    expect(readdirSync(at('foreign'))).toEqual(['notes.txt']);
    for (const name of ['x', 'w', 'nothing']) expect(existsSync(at(name))).toBe(false);
  });

  it('says so where nothing is built', async () => {
    for (const path of ['tools/speeches', 'tools/markdown-table.mjs', 'scripts/lib.mjs', 'package.json']) {
      cpSync(join(root, path), at('bare', path), { recursive: true });
    }
    const child = spawn(process.execPath, [at('bare', 'tools/speeches/index.mjs'), '--report']);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2);
    expect(stderr).toContain('The lmd command is not built');
    expect(stderr).toContain('npm run setup');
  });
});
