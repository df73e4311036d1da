import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/lmd.js';
import { loadConfiguration } from '../configuration/load.js';
import { runLayout } from './layout.js';
import { prepareRun } from './run-folder.js';

it('a run that fails before its first step leaves nothing, also of threads that train together', async () => {
  const configuration = loadConfiguration('smoke');
  const run = await prepareRun(configuration, join(temporaryFolder(), 'run'));
  const { job, workers } = runLayout(run.folder).trial(configuration.optimizers[0]!.name);
  await mkdir(join(workers, 'training', 'name'), { recursive: true });
  await writeFile(join(workers, 'training', 'name', '0'), 'a checkpoint');
  await writeFile(job, '{}');
  await run.discard();
  expect(existsSync(run.folder)).toBe(false);
});
