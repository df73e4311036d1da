import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, expect, it } from 'vitest';
import { defaultsFor } from '../src/settings/settings.js';
import { openController } from './support.js';

const lmd = join(dirname(createRequire(import.meta.url).resolve('@lmd/cli/package.json')), 'dist', 'bin.js');
const folder = mkdtempSync(join(tmpdir(), 'playground-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The unpacked file of a short run, with LMD in MXFP4 beside AdamW in FP32. */
async function savedRun(name: string, data: 'digits' | 'text', files: { path: string; blob: Blob }[]): Promise<string> {
  const { controller, until, losses } = await openController();
  const defaults = defaultsFor(data);
  const runs = [{ ...defaults.runs[1] }, { ...defaults.runs[0], optimizer: 'adamw', rate: 0.003 }] as never;
  await controller.start({ ...defaults, batch: 8, runs }, files);
  controller.resume();
  await until(() => losses.every((one) => one.length > 30));
  controller.pause();
  const bytes = await controller.save();
  await controller.close();
  const target = join(folder, name);
  for (const [path, content] of Object.entries(unzipSync(bytes))) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), content);
  }
  return target;
}

const run = (cwd: string, ...words: string[]) =>
  execFileSync(process.execPath, [lmd, ...words], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

it('lmd evaluates, inspects and predicts with a saved file of digits', async () => {
  const target = await savedRun('digits', 'digits', []);
  const { results } = JSON.parse(run(target, 'evaluate', '.', '--json').trim().split('\n').at(-1)!);
  expect(results.map(({ optimizer, format }: Record<string, unknown>) => [optimizer, format])).toEqual([
    ['A', 'mxfp4_e2m1'],
    ['B', 'fp32'],
  ]);
  // A tenth would be chance.
  for (const { testAccuracy } of results) expect(testAccuracy).toBeGreaterThan(0.2);
  const sampled = JSON.parse(
    run(target, 'evaluate', '.', '--optimizer', 'A', '--samples', '2', '--json').trim().split('\n').at(-1)!,
  );
  expect(sampled.results[0]).toMatchObject({ optimizer: 'A', weights: 'sample', samples: 2 });
  expect(run(target, 'inspect', 'A/model.safetensors')).toContain('playground');
});

it('lmd does not resume a saved file, says what to do instead, and that works', async () => {
  const text = 'the quick brown fox jumps over the lazy dog. '.repeat(120);
  await savedRun('saved', 'text', [{ path: 'fox.txt', blob: new Blob([text]) }]);
  const { status, stderr } = spawnSync(process.execPath, [lmd, 'train', '--resume', 'saved'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  const words = stderr.replace(/\s+/g, ' ');
  expect(words).toContain('--resume: saved was saved by the playground, which trains on other batches than lmd train.');
  const [, command = ''] = /new run from its weights: lmd (train .*) --out <folder>/.exec(words)!;
  expect(command).toContain('model.weights=saved');
  run(join(folder, 'saved'), ...command.replaceAll('saved/', '').split(' '), 'steps=5', '--only', 'A', '--out', 'next');
  expect(existsSync(join(folder, 'saved', 'next', 'model.safetensors'))).toBe(true);
});

it('lmd evaluates a saved file of text, and continues a prompt', async () => {
  const text = 'the quick brown fox jumps over the lazy dog. '.repeat(120);
  const target = await savedRun('text', 'text', [{ path: 'fox.txt', blob: new Blob([text]) }]);
  const { results } = JSON.parse(run(target, 'evaluate', '.', '--json').trim().split('\n').at(-1)!);
  for (const { testPerplexity } of results) expect(testPerplexity).toBeLessThan(28);
  expect(run(target, 'generate', 'A/model.safetensors', '--prompt', 'the q', '--max-tokens', '10')).toContain('the q');
});
