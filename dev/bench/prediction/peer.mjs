import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { python } from '../lib/python.mjs';

const script = fileURLToPath(new URL('../../peers/prediction.py', import.meta.url));

/**
 * The result of `dev/peers/prediction.py`.
 *
 * @param {...(string | number)} words its arguments
 */
export function peer(...words) {
  const { status, stdout, stderr } = spawnSync(python, [script, ...words.map(String)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${python} ${script} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
