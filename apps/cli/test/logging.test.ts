import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { latestCheckpoint, writeCheckpoint } from '@lmd/training/node';
import { describe, expect, it } from 'vitest';
import { readEventFile } from './event-file.js';
import { lmd, sha256, start, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const both = ['logging=["csv","tensorboard"]', '--only', 'adamw', '--json'];

const csv = (...path: string[]) =>
  readFileSync(join(folder, ...path, 'metrics.csv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
const events = (...path: string[]) => readdirSync(join(folder, ...path)).filter((name) => name.includes('tfevents'));

/** What a checkpoint says of its run. */
interface Recorded {
  readonly configuration: { readonly optimizer: Record<string, unknown> };
}

describe('logging', () => {
  it('writes a CSV by default, of each optimizer and of the run', async () => {
    expect((await lmd(['train', ...tiny, '--out', 'usual', '--json'], folder)).code).toBe(0);
    expect(events('usual', 'lmd')).toEqual([]);
    const [own, whole] = [csv('usual', 'lmd'), csv('usual')];
    // 16 steps, 2 validations and the test.
    expect(own).toHaveLength(1 + 19);
    expect(whole).toHaveLength(1 + 2 * 19);
    expect(whole.slice(0, 20).map(([, ...cells]) => cells)).toEqual(own);
    expect(new Set(whole.slice(1).map(([optimizer]) => optimizer))).toEqual(new Set(['lmd', 'adamw']));
  });

  it('writes neither where none is configured, and refuses an unknown one', async () => {
    expect(
      (await lmd(['train', ...tiny, 'logging=[]', '--only', 'adamw', '--out', 'none', '--json'], folder)).code,
    ).toBe(0);
    expect(readdirSync(join(folder, 'none'))).not.toContain('metrics.csv');
    const { code, stderr } = await lmd(['train', ...tiny, 'logging=["tensorbord"]'], folder);
    expect(code).toBe(2);
    expect(stderr).toContain('Allowed: csv, tensorboard.');
    const twice = await lmd(['train', ...tiny, 'logging=["csv","csv"]'], folder);
    expect(twice.stderr).toContain('has an entry twice');
  });

  it('has every step once after Ctrl-C and resume', async () => {
    const { done } = start(['train', ...tiny, ...both, '--out', 'stopped'], folder, (event, child) => {
      if (event.type === 'step' && event.step === 6) child.kill('SIGINT');
    });
    expect((await done).code).toBe(130);
    expect((await lmd(['train', '--resume', 'stopped', '--json'], folder)).code).toBe(0);
    const steps = csv('stopped', 'adamw').flatMap(([step, , , loss]) => (loss === '' ? [] : [step]));
    expect(steps).toEqual(['step', ...Array.from({ length: 16 }, (_, index) => String(index + 1))]);
    expect(events('stopped', 'adamw')).toHaveLength(1);
  });

  it('has event files that read, with every step once, after kill -9 and resume by a later version', async () => {
    const { done } = start(['train', ...tiny, ...both, '--out', 'killed'], folder, (event, child) => {
      if (event.type === 'step' && event.step === 10) child.kill('SIGKILL');
    });
    await done;
    const [name] = events('killed', 'adamw');
    const path = join(folder, 'killed', 'adamw', name!);
    // As if the last event had been written in part, and the run begun before the option beta1 was there.
    appendFileSync(path, readFileSync(path).subarray(-20));
    const checkpoints = join(folder, 'killed', 'adamw', 'checkpoints');
    const { checkpoint } = (await latestCheckpoint(checkpoints))!;
    const { identity } = JSON.parse(JSON.stringify(checkpoint)) as { identity: Recorded };
    expect(identity.configuration.optimizer).toHaveProperty('beta1');
    delete identity.configuration.optimizer.beta1;
    await writeCheckpoint(checkpoints, { ...checkpoint, identity: identity as unknown as typeof checkpoint.identity });
    const resumed = await lmd(['train', '--resume', 'killed', '--json'], folder);
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect(events('killed', 'adamw')).toEqual([name]);
    const steps = readEventFile(path).flatMap(({ step, text }) => (text.includes('loss/train') ? [step] : []));
    expect(steps).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect((await lmd(['train', ...tiny, ...both, '--out', 'unbroken'], folder)).code).toBe(0);
    const model = (run: string) => sha256(join(folder, run, 'model.safetensors'));
    expect(model('killed')).toBe(model('unbroken'));
  });

  it('leaves no folder behind when a run fails before its first step', async () => {
    const words = ['train', ...tiny, ...both, 'evaluation.batchSize=1000000000', '--out', 'failed'];
    expect((await lmd(words, folder)).code).not.toBe(0);
    expect(readdirSync(folder)).not.toContain('failed');
  });
});
