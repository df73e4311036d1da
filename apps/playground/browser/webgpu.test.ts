import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readArchive } from '../src/archive/archive.js';
import { digitPictures } from './pictures.js';
import { openSite, type Site } from './site.js';

const lmd = join(dirname(createRequire(import.meta.url).resolve('@lmd/cli/package.json')), 'dist', 'bin.js');
const folder = mkdtempSync(join(tmpdir(), 'playground-'));
let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

it('a ViT trains on pictures through WebGPU, survives the loss of its device, and lmd evaluates its file', async () => {
  const { page, problems, waitForStep, notices, step } = await site.open('#data=pictures&device=webgpu&batch=4');
  const pictures = join(folder, 'pictures');
  for (const [path, bytes] of Object.entries(await digitPictures([0, 1, 4], 12))) {
    mkdirSync(dirname(join(pictures, path)), { recursive: true });
    writeFileSync(join(pictures, path), bytes);
  }
  writeFileSync(join(pictures, '1', 'broken.png'), 'no picture');
  await page.locator('input[webkitdirectory]').setInputFiles(pictures);
  await waitForStep(22);
  expect(await notices()).toContain('broken.png could not be decoded and is left out');
  expect(await page.locator('#app').textContent()).toContain('WebGPU on');
  await page.getByRole('button', { name: 'Lose the device' }).click();
  await page.locator('.notices', { hasText: 'resumed from step' }).waitFor({ timeout: 120_000 });
  expect(await notices()).toMatch(
    /The graphics device was lost at step \d+\. Training resumed from step \d+ (on a new device, with the same bits|with WebAssembly)/,
  );
  const lost = Number(/was lost at step (\d+)/.exec(await notices())![1]);
  await waitForStep(lost + 4);
  await page.getByRole('button', { name: 'Pause' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^playground-pictures-\d+\.zip$/);
  const saved = unzipSync(readFileSync(await download.path()));
  const run = join(folder, 'run');
  for (const [path, bytes] of Object.entries(saved)) {
    mkdirSync(dirname(join(run, path)), { recursive: true });
    writeFileSync(join(run, path), bytes);
  }
  const words = [lmd, 'evaluate', '.', '--json'];
  const { results } = JSON.parse(
    execFileSync(process.execPath, words, { cwd: run, encoding: 'utf8' }).trim().split('\n').at(-1)!,
  );
  expect(results.map(({ optimizer }: { optimizer: string }) => optimizer)).toEqual(['A', 'B']);
  for (const result of results) {
    expect(result.step).toBeGreaterThanOrEqual(lost);
    expect(Number.isFinite(result.testLoss)).toBe(true);
  }
  expect(await step()).toBeGreaterThan(lost);
  expect(problems.filter((text) => !/device was lost|A valid external Instance/i.test(text))).toEqual([]);
});

it('resumes on the same bits after the loss', async () => {
  /** The states of both runs after 30 steps. */
  const states = async (isLost: boolean) => {
    const { page, context, waitForStep, train } = await site.open('#device=webgpu&batch=2&steps=30');
    await train();
    await waitForStep(21);
    if (isLost) {
      await page.getByRole('button', { name: 'Lose the device' }).click();
      await page.locator('.notices', { hasText: 'resumed from step' }).waitFor({ timeout: 120_000 });
      expect(await page.locator('.notices').textContent()).toContain('on a new device, with the same bits');
    }
    await page.getByRole('button', { name: 'Resume' }).waitFor({ timeout: 240_000 });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save' }).click(),
    ]);
    const bytes = new Uint8Array(readFileSync(await download.path()));
    await context.close();
    const { checkpoints } = await readArchive(bytes, 'file');
    return checkpoints.map(({ step, tensors }) => ({ step, tensors }));
  };
  const whole = await states(false);
  expect(whole.map(({ step }) => step)).toEqual([30, 30]);
  expect(await states(true)).toEqual(whole);
});
