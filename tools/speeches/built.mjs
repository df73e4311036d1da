import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/lib.mjs';
import { StudyError } from './errors.mjs';

const part = (...words) => join(root, ...words);
const cli = part('apps', 'cli', 'dist', 'index.js');
const training = part('packages', 'training', 'dist', 'node', 'index.js');
const safetensors = part('packages', 'safetensors', 'dist', 'node', 'index.js');

/** The built command, its configurations and drawing, the lock of a folder and the atomic writing of files. */
export async function loadBuilt() {
  const program = part('apps', 'cli', 'dist', 'bin.js');
  for (const path of [program, cli, training, safetensors]) {
    if (!existsSync(path))
      throw new StudyError(`The lmd command is not built: ${path} is missing. Run: npm run setup`, 2);
  }
  const load = (path) => import(pathToFileURL(path).href);
  const { loadConfiguration, parseConfiguration, renderLossCurves } = await load(cli);
  const { lockRun } = await load(training);
  const { writeFileAtomic } = await load(safetensors);
  return { program, loadConfiguration, parseConfiguration, renderLossCurves, lockRun, writeFileAtomic };
}
