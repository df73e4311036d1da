import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, type Outcome, sha256, start, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const json = (...path: string[]) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));
const model = (run: string) => sha256(join(folder, run, 'model.safetensors'));

/** A run of LMD alone, killed once it has a checkpoint of step 4. */
async function begin(run: string, ...extra: string[]): Promise<void> {
  await start(
    ['train', ...tiny, ...extra, '--only', 'lmd', '--out', run, '--json'],
    folder,
    (event, child) => void (event.type === 'checkpoint' && event.step === 4 && child.kill('SIGKILL')),
  ).done;
  expect(existsSync(join(folder, run, 'summary.json'))).toBe(false);
}

const resume = (run: string, ...words: string[]): Promise<Outcome> => lmd(['train', '--resume', run, ...words], folder);

beforeAll(async () => {
  expect(await lmd(['train', ...tiny, '--only', 'lmd', '--out', 'whole'], folder)).toMatchObject({ code: 0 });
});

describe('--resume with --set', () => {
  it('changes what changes no bit of the training, keeps it, and ends with the same bits', async () => {
    await begin('free');
    const outcome = await resume(
      'free',
      ...['--set', 'evaluation.batchSize=7', 'evaluation.every=3', 'checkpoints.every=5'],
      ...['diagnostics.weightGrowth=true', 'diagnostics.gradientSignal=true', 'diagnostics.every=2'],
    );
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(model('free')).toBe(model('whole'));
    expect(json('free', 'config.json')).toMatchObject({ evaluation: { batchSize: 7, every: 3 } });
    const plugins = readFileSync(join(folder, 'free', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).plugin);
    expect(plugins).toContain('weightGrowth');
    expect(plugins).toContain('gradientSignal');
  });

  it('lets diagnostics be switched off', async () => {
    await begin('measured', 'diagnostics.weightGrowth=true', 'diagnostics.every=2');
    const outcome = await resume('measured', '--set', 'diagnostics.weightGrowth=false');
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(model('measured')).toBe(model('whole'));
  });

  it('takes another backend, and warns', async () => {
    await begin('moved', 'backend=tfjs-wasm');
    const outcome = await resume('moved', '--set', 'backend=cpu');
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stdout).toMatch(/note .*written on backend tfjs-wasm, but the run resumes with cpu/);
  });

  it.each([
    ['steps=32', 'steps', 'the schedule of the learning rate depends on it'],
    ['batchSize=8', 'batchSize', 'the training depends on it'],
    ['optimizers.lmd.noise=0.5', 'optimizers.0.noise', 'this run started with 0.05'],
    ['data.noise=0.9', 'data.noise', 'this run started with 0.5'],
    ['seed=9', 'seed', 'this run started with 0'],
    ['precision=fp32', 'precision', 'this run started with "mxfp6_e3m2"'],
    ['backward=mxfp4_e2m1', 'backward', 'the training depends on it'],
    ['dataSeed=1', 'dataSeed', 'the training depends on it'],
  ])('refuses %s by name, and changes nothing', async (assignment, key, reason) => {
    if (!existsSync(join(folder, 'kept'))) await begin('kept');
    const before = readFileSync(join(folder, 'kept', 'config.json'), 'utf8');
    const outcome = await resume('kept', '--set', assignment);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(`--set ${key}=`);
    expect(outcome.stderr).toContain(reason);
    expect(readFileSync(join(folder, 'kept', 'config.json'), 'utf8')).toBe(before);
  });

  it('refuses evaluation keys on which early stopping depends', async () => {
    await begin('stopping', 'earlyStopping={"patience":100}');
    const outcome = await resume('stopping', '--set', 'evaluation.every=2');
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('earlyStopping depends on it') });
    expect(await resume('stopping', '--set', 'evaluation.batchSize=5')).toMatchObject({ code: 0 });
  });

  it('takes more steps under a constant schedule, to the bits of a longer run', async () => {
    const constant = 'optimizers.lmd.schedule={"kind":"constant"}';
    await begin('longer', constant);
    const outcome = await resume('longer', '--set', 'steps=20');
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    const words = ['train', ...tiny, constant, 'steps=20', '--only', 'lmd', '--out', 'long'];
    expect(await lmd(words, folder)).toMatchObject({ code: 0 });
    expect(model('longer')).toBe(model('long'));
  });

  it('refuses to change a finished run', async () => {
    const outcome = await resume('whole', '--set', 'evaluation.batchSize=4');
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('the run is finished') });
  });
});

describe('an edited config.json', () => {
  const edit = (run: string, change: (configuration: Record<string, unknown>) => void) => {
    const configuration = json(run, 'config.json');
    change(configuration);
    writeFileSync(join(folder, run, 'config.json'), JSON.stringify(configuration));
  };

  it('may change what --set may', async () => {
    await begin('edited');
    edit('edited', (configuration) => {
      configuration.evaluation = { every: 4, batchSize: 3 };
    });
    expect(await resume('edited')).toMatchObject({ code: 0 });
    expect(model('edited')).toBe(model('whole'));
  });

  it('may not change the steps of a schedule that ends with them', async () => {
    await begin('stretched');
    edit('stretched', (configuration) => {
      configuration.steps = 64;
    });
    const outcome = await resume('stretched');
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(/steps is 16 in the checkpoint and 64/) });
  });

  it.each([
    ['precision', 'fp32', /^error precision\.forward.* in the checkpoint and "f32" in this run/],
    ['backward', 'mxfp4_e2m1', /^error precision\.backward.* in the checkpoint and .*"mxfp4_e2m1"/],
  ])('may not change %s', async (key, format, message) => {
    if (!existsSync(join(folder, 'rounded'))) await begin('rounded');
    const before = readFileSync(join(folder, 'rounded', 'config.json'));
    edit('rounded', (configuration) => {
      configuration[key] = format;
    });
    const outcome = await resume('rounded');
    writeFileSync(join(folder, 'rounded', 'config.json'), before);
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });

  it('is refused where an optimizer has been trained with another', async () => {
    await lmd(['train', ...tiny, '--out', 'both'], folder);
    rmSync(join(folder, 'both', 'summary.json'));
    edit('both', (configuration) => {
      configuration.seed = 5;
    });
    expect(await resume('both')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('seed differs from the value with which lmd'),
    });
  });
});

describe('a run folder', () => {
  it('that is removed while the run trains does not come back', async () => {
    let removed = false;
    const outcome = await start(
      ['train', ...tiny, 'steps=40', '--only', 'lmd', '--out', 'removed', '--json'],
      folder,
      (event) => {
        if (removed || event.type !== 'step' || event.step !== 6) return;
        removed = true;
        renameSync(join(folder, 'removed'), join(folder, 'elsewhere'));
      },
    ).done;
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^error .*config\.json is missing: the run folder was removed/);
    expect(existsSync(join(folder, 'removed'))).toBe(false);
  });

  it.each(['--out', 'runs'])('of a failed start is removed, named by %s', async (place) => {
    const where = place === '--out' ? ['--out', 'failed'] : [];
    const outcome = await lmd(['train', ...tiny, 'data={"kind":"mnist","validation":60000}', ...where], folder);
    expect(outcome.code, outcome.stdout).toBe(1);
    expect(outcome.stderr).toContain('data.validation is 60000, but there are 60000 training examples.');
    expect(existsSync(join(folder, 'failed'))).toBe(false);
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });
});
