import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { compileCheck, failureOf, findCompiler } from '../scripts/compile.mjs';
import { targetOfThisMachine } from '../scripts/targets.mjs';
import { notTheSuite } from './suite.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-native-sanitizers-'));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

const name = targetOfThisMachine();
const cc = notTheSuite === undefined ? await findCompiler() : undefined;
const missing = notTheSuite ?? (name === undefined || cc === undefined ? 'there is no C compiler here' : undefined);

if (missing !== undefined) it.skip(`AddressSanitizer and UBSan: ${missing}`, () => {});
else {
  it('find nothing in products of random shapes, at every level', { timeout: 900_000 }, async () => {
    const program = join(folder, 'check');
    const options = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    await compileCheck(name!, { cc: cc! }, options, program);
    for (const seed of ['1', String(Date.now())]) {
      expect(await failureOf([program], [seed, '300']), `check ${seed} 300`).toBeUndefined();
    }
  });
}
