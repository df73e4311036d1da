import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmdProcess as lmd, temporaryFolder } from './lmd.js';

// Third parties' modules in a folder of their own, whose configuration stands apart from the working directory.

const folder = temporaryFolder();
const own = join(folder, 'own');

/** The JavaScript files of docs/extending.md, as a reader copies them. */
function pageFiles(): ReadonlyMap<string, string> {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/extending.md', import.meta.url)), 'utf8');
  const blocks = page.matchAll(/<!-- file: (\S+) -->\n\n```\w+\n(.*?)```/gs);
  return new Map([...blocks].map(([, name, code]) => [name!, code!]));
}

beforeAll(() => {
  mkdirSync(join(folder, 'node_modules'));
  const packages = fileURLToPath(new URL('../node_modules/@lmd', import.meta.url));
  symlinkSync(packages, join(folder, 'node_modules', '@lmd'), 'junction');
  mkdirSync(own);
  for (const [name, code] of pageFiles()) writeFileSync(join(own, name), code);
});

const module = (name: string, code: string) => writeFileSync(join(own, name), code);

/** A configuration on the modules of the page, with changes. */
function configuration(name: string, changes: object = {}): string {
  const base = JSON.parse(readFileSync(join(own, 'circle.json'), 'utf8')) as { optimizers: object[] };
  const path = join('own', `${name}.json`);
  const optimizers = [{ ...base.optimizers[0], schedule: { kind: 'constant' } }];
  const small = { steps: 12, optimizers, checkpoints: { every: 4 }, plugins: [] };
  writeFileSync(join(folder, path), JSON.stringify({ ...base, ...small, ...changes }));
  return path;
}

describe('modules of third parties', () => {
  it('are named when they never settle, in a child process too', async () => {
    module('pending.mjs', 'export const create = () => new Promise(() => {});');
    for (const only of [['--only', 'lmd'], []]) {
      const words = ['train', 'smoke', ...only, '--set', 'plugins.0=./own/pending.mjs', '--out', 'pending'];
      const { code, stderr } = await lmd(words, folder);
      expect({ code, stderr }).toMatchObject({
        stderr: expect.stringMatching(/plugins\.0: .*promise is never settled/),
      });
      expect(code).not.toBe(0);
      expect(existsSync(join(folder, 'pending'))).toBe(false);
    }
  });

  it('are named when create has not settled in time, though a timer of theirs goes on', async () => {
    module('waiting.mjs', 'setInterval(() => {}, 1000); export const create = () => new Promise(() => {});');
    for (const only of [['--only', 'lmd'], []]) {
      const words = ['train', 'smoke', ...only, '--set', 'plugins.0=./own/waiting.mjs', '--out', 'waiting'];
      const { code, stderr } = await lmd(words, folder, { LMD_MODULE_SECONDS: '1' });
      expect({ stderr }).toMatchObject({
        stderr: expect.stringMatching(
          /plugins\.0: .*waiting\.mjs failed: its promise is not settled after 1 s\. Correct/,
        ),
      });
      expect(existsSync(join(folder, 'waiting'))).toBe(false);
      expect([1, 2]).toContain(code);
    }
  });

  it('train, with paths relative to the configuration file, and are stored absolute with their contents', async () => {
    const backend = { module: './my-backend.mjs', options: { report: true } };
    const plugins = [{ module: './stop-below.mjs', options: { loss: 1e-9 } }];
    const path = configuration('all', { backend, plugins });
    const { code, stderr, events } = await lmd(['train', path, '--out', 'all', '--json'], folder);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/^\d+ matrix products\n$/) });
    expect(events.find(({ type }) => type === 'start')).toMatchObject({ model: 'perceptron-12', rule: 'signDescent' });
    const stored = JSON.parse(readFileSync(join(folder, 'all', 'config.json'), 'utf8'));
    const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(stored).toMatchObject({
      backend: { module: join(own, 'my-backend.mjs'), sha256 },
      data: { kind: 'module', module: join(own, 'circle.mjs'), sha256 },
      model: { kind: 'module', module: join(own, 'perceptron.mjs'), sha256 },
      optimizers: [{ rule: 'module', module: join(own, 'sign-descent.mjs'), sha256 }],
      plugins: [{ module: join(own, 'stop-below.mjs'), sha256 }],
    });
    const evaluated = await lmd(['evaluate', 'all', '--json'], folder);
    const [, [result]] = [code, JSON.parse(evaluated.stdout).results];
    const summary = JSON.parse(readFileSync(join(folder, 'all', 'summary.json'), 'utf8'));
    expect(result.testAccuracy).toBe(summary.results[0].testAccuracy);
  });

  it('may be packages, found from the configuration file', async () => {
    const installed = join(own, 'node_modules', 'my-backends');
    mkdirSync(join(installed, 'dist'), { recursive: true });
    const exports = { './counting': { import: './dist/counting.js', require: './dist/absent.cjs' } };
    writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'my-backends', type: 'module', exports }));
    writeFileSync(join(installed, 'dist', 'counting.js'), pageFiles().get('my-backend.mjs')!);
    const path = configuration('package', { backend: 'my-backends/counting' });
    expect(await lmd(['train', path, '--out', 'package'], folder)).toMatchObject({ code: 0, stderr: '' });
    const missing = configuration('missing', { backend: 'my-backends/other' });
    const { code, stderr } = await lmd(['train', missing], folder);
    expect(code).toBe(2);
    expect(stderr).toContain('backend = "my-backends/other" is not allowed. Allowed: cpu, webgpu');
    expect(stderr).toContain('or a module');
  });

  it('after --set are relative to the working directory', async () => {
    writeFileSync(join(folder, 'here.mjs'), pageFiles().get('my-backend.mjs')!);
    const outcome = await lmd(['train', configuration('set'), '--set', 'backend=./here.mjs', '--out', 'set'], folder);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });

  it('resume bit-identically, and refuse another content', async () => {
    const path = configuration('resume');
    module('counted.mjs', pageFiles().get('sign-descent.mjs')!);
    const [entry] = JSON.parse(readFileSync(join(folder, path), 'utf8')).optimizers as object[];
    const optimizers = [{ ...entry, rule: './counted.mjs' }];
    const stopping = [{ module: './stop-at.mjs', options: {} }];
    module(
      'stop-at.mjs',
      `export const create = () => ({
        name: 'stopAt',
        step({ step }) { if (step === 6 && process.env.STOP) process.kill(process.pid, 'SIGTERM'); },
      });`,
    );
    const two = configuration('resume', { optimizers, plugins: stopping });
    const whole = await lmd(['train', two, '--out', 'whole'], folder);
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    const stopped = await lmd(['train', two, '--out', 'parts'], folder, { STOP: '1' });
    expect(stopped.code).toBe(130);

    writeFileSync(join(own, 'counted.mjs'), `${pageFiles().get('sign-descent.mjs')}\n// Changed.\n`);
    const refused = await lmd(['train', '--resume', 'parts'], folder);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('optimizers.sign: ');
    expect(refused.stderr).toContain('counted.mjs has changed since the run started. Restore the file');

    writeFileSync(join(own, 'counted.mjs'), pageFiles().get('sign-descent.mjs')!);
    expect(await lmd(['train', '--resume', 'parts'], folder)).toMatchObject({ code: 0, stderr: '' });
    const model = (run: string) => readFileSync(join(folder, run, 'model.safetensors'));
    expect(model('parts').equals(model('whole'))).toBe(true);
  }, 60_000);

  it('note a backend with another content on resume', async () => {
    module('changing.mjs', pageFiles().get('my-backend.mjs')!);
    const path = configuration('changing', { backend: './changing.mjs', plugins: ['./stop-at.mjs'] });
    expect((await lmd(['train', path, '--out', 'changing'], folder, { STOP: '1' })).code).toBe(130);
    module('changing.mjs', `${pageFiles().get('my-backend.mjs')}\n// Faster.\n`);
    const { code, stderr } = await lmd(['train', '--resume', 'changing'], folder);
    expect(code).toBe(0);
    expect(stderr).toContain('note backend: ');
    expect(stderr).toContain('changing.mjs has changed since the run started.');
  });
});

describe('errors about modules', () => {
  const rule = (rule: string, rest: object = {}) => ({ optimizers: [{ name: 'mine', rule, ...rest }] });

  it.each([
    ['a path that is no file', { backend: './absent.mjs' }, ['backend is "./absent.mjs"', 'is not a file']],
    ['a package that is not installed', { model: 'absent' }, ['model is "absent", but no such package']],
    ['a syntax error', { data: './syntax.mjs' }, ['data: ', 'syntax.mjs cannot be loaded']],
    ['no factory', { model: './empty.mjs' }, ['model: ', 'exports nothing, but no function "create"']],
    ['a table of something else', rule('./table.mjs'), ['optimizers.mine: ', 'declares optionTable.rate = 1']],
    [
      'an unknown option',
      rule('./sign-descent.mjs', { options: { rate: 1 } }),
      ['optimizers.mine', '"rate"', 'learningRate'],
    ],
    [
      'an option out of range',
      { model: { module: './perceptron.mjs', options: { width: 0 } } },
      ['model = ', 'width is 0', 'at least 1'],
    ],
    ['an option that is missing', { plugins: ['./stop-below.mjs'] }, ['plugins.0 = ', 'loss is missing']],
    ['a rule that is a promise', rule('./promise.mjs'), ['optimizers.mine = ', 'optimizer is a promise']],
    ['a model that lacks forward', { model: './no-forward.mjs' }, ['model = ', 'lacks forward']],
    ['data without geometry', { data: './no-geometry.mjs' }, ['data: ', 'no function "geometry"']],
    [
      'a geometry that is wrong',
      { data: './wrong-geometry.mjs' },
      ['data: ', 'geometry that returned {"kind":"images"}'],
    ],
    [
      'a model of ours on other data',
      { model: { kind: 'vit', preset: 'Ti/16' } },
      ['model.kind is vit, which needs images'],
    ],
  ] as const)('name the key and the module: %s', async (_, changes, parts) => {
    module('syntax.mjs', 'export {');
    module('empty.mjs', '');
    module('table.mjs', 'export const optionTable = { rate: 1 }; export const create = () => ({});');
    module('promise.mjs', 'export const create = async () => ({});');
    module('no-forward.mjs', "export default () => ({ name: 'm', parameters: {}, initialize() {} });");
    module('no-geometry.mjs', 'export const create = () => ({});');
    module(
      'wrong-geometry.mjs',
      "export const create = () => ({}); export const geometry = () => ({ kind: 'images' });",
    );
    const { code, stderr } = await lmd(['train', configuration('wrong', changes), '--out', 'wrong'], folder);
    expect({ code, stderr }).toMatchObject({ code: 2 });
    for (const part of parts) expect(stderr).toContain(part);
  });

  it.each([
    ['a backend that lacks primitives', { backend: './half-backend.mjs' }, ['backend = ', 'lacks ']],
    ['data without a test set', { data: './half-data.mjs' }, ['data: ', 'returned no test']],
    [
      'a plugin with an unknown hook',
      { plugins: ['./hook.mjs'] },
      ['plugins.0 = ', 'hook "onStep"', 'Did you mean "step"?'],
    ],
    [
      'an optimizer of another contract',
      rule('./newer.mjs'),
      ['optimizers.mine = ', 'newer.mjs', '"newer" of my-rules 2.0.0 has lmd-optimizer-v2', 'Upgrade @lmd/core'],
    ],
    [
      'a failure in a hook of the optimizer',
      rule('./failing.mjs'),
      ['optimizers.mine: init of ', 'failing.mjs failed: no'],
    ],
  ] as const)('leave no run folder behind: %s', async (_, changes, parts) => {
    module('half-backend.mjs', "export const create = () => ({ name: 'half', specVersion: 'lmd-backend-v1' });");
    module(
      'half-data.mjs',
      `import { create as whole } from './circle.mjs';
       export { geometry } from './circle.mjs';
       export const create = (_, context) => ({ ...whole({ examples: 40 }, context), test: undefined });`,
    );
    module('hook.mjs', "export const create = () => ({ name: 'hook', onStep() {} });");
    module(
      'newer.mjs',
      `const specVersion = 'lmd-optimizer-v2';
       export const create = () => ({ specVersion, madeBy: 'my-rules 2.0.0', name: 'newer', samples: 1 });`,
    );
    module(
      'failing.mjs',
      `const init = () => { throw new Error('no'); };
       export const create = () => ({ name: 'failing', samples: 1, init, draw() {}, update() {}, weights() {} });`,
    );
    const { code, stderr } = await lmd(['train', configuration('half', changes), '--out', 'half'], folder);
    expect({ code, stderr }).toMatchObject({ code: expect.any(Number) });
    expect(code).not.toBe(0);
    for (const part of parts) expect(stderr).toContain(part);
    expect(() => readFileSync(join(folder, 'half', 'config.json'))).toThrow('ENOENT');
  });
});

describe('lmd doctor --backend', () => {
  it('runs the quick level of the conformance suite', async () => {
    const { code, stdout } = await lmd(['doctor', '--backend', './own/my-backend.mjs', '--json'], folder);
    const { conformance, backends } = JSON.parse(stdout);
    expect({ code, conformance }).toMatchObject({ code: 0, conformance: { level: 'quick', failed: [] } });
    expect(conformance.passed).toBeGreaterThan(150);
    expect(backends).toMatchObject([{ works: true, name: join(own, 'my-backend.mjs') }]);
  }, 120_000);

  it('names what a wrong backend fails', async () => {
    module(
      'wrong-sums.mjs',
      `import { createReferenceBackend } from '@lmd/backends/reference';
       export function create() {
         const backend = createReferenceBackend();
         return { ...backend, maximum: (a, b) => backend.minimum(a, b) };
       }`,
    );
    const { code, stdout } = await lmd(['doctor', '--backend', './own/wrong-sums.mjs'], folder);
    expect(code).toBe(1);
    expect(stdout).toContain('does not conform');
    expect(stdout).toMatch(/elementwise > .*maximum.*: /);
  }, 120_000);

  it('says what to install where the suite is missing, and what is allowed', async () => {
    const { code, stderr } = await lmd(['doctor', '--backend', 'cpuu'], folder);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean "cpu"?');
  });
});
