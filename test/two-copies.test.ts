import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Two copies of @lmd/core in one program, as a tree of dependencies with several releases has them: built files, of
// which one copy is changed to be another release.

const root = fileURLToPath(new URL('..', import.meta.url));
const built = (path: string) => import(/* @vite-ignore */ pathToFileURL(join(root, path)).href);
const work = mkdtempSync(join(tmpdir(), 'lmd-copies-'));
afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));

/** A copy of the built core, with its texts changed. */
async function coreWith(name: string, changes: Readonly<Record<string, string>>) {
  const folder = join(work, name);
  cpSync(join(root, 'packages', 'core', 'dist'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.js'))) {
    const path = join(folder, file);
    let text = readFileSync(path, 'utf8');
    for (const [from, to] of Object.entries(changes)) text = text.replaceAll(from, to);
    writeFileSync(path, text);
  }
  return import(/* @vite-ignore */ pathToFileURL(join(folder, 'index.js')).href);
}

const versionOf = (name: string) =>
  (JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as { version: string }).version;
const [coreVersion, trainingVersion] = [versionOf('core'), versionOf('training')];

describe('two copies of @lmd/core', async () => {
  const [core, training, { createReferenceBackend }, { vit, precisionPreset }] = await Promise.all([
    built('packages/core/dist/index.js'),
    built('packages/training/dist/index.js'),
    built('packages/backends/dist/reference/index.js'),
    built('packages/models/dist/index.js'),
  ]);
  let other: typeof core;
  let newer: typeof core;
  beforeAll(async () => {
    const release = { [`"${coreVersion}"`]: '"0.99.0"' };
    other = await coreWith('other', release);
    newer = await coreWith('newer', { ...release, 'lmd-optimizer-v1': 'lmd-optimizer-v2' });
  });

  const inputs = Float32Array.from({ length: 64 }, (_, i) => (i % 7) / 7);
  const train = (parts: object) =>
    training.train({
      model: vit({ imageSize: 4, patchSize: 2, channels: 1, width: 4, depth: 1, heads: 1, classes: 2 }),
      precision: precisionPreset('fp32'),
      data: {
        train: training.arrayDataset({
          name: 'dots',
          inputs,
          inputShape: [4, 4, 1],
          labels: Int32Array.of(0, 1, 0, 1),
          classes: 2,
        }),
      },
      seed: 1,
      steps: 2,
      batchSize: 4,
      ...parts,
    });

  it('train together, bit-identically to one copy, if the versions of the contracts are the same', async () => {
    expect(other.adamw().madeBy).toBe('@lmd/core 0.99.0');
    const alone = await train({ backend: createReferenceBackend(), optimizer: core.adamw() });
    const ops = other.createOperations(createReferenceBackend());
    const mixed = await train({ ops, optimizer: other.adamw() });
    expect(mixed.loss).toBe(alone.loss);
    alone.dispose();
    mixed.dispose();
    expect(ops.memory().tensors).toBe(0);
  });

  it('recognize the errors of the other', () => {
    const refused = () => other.adamw({ learningRate: -1 });
    expect(refused).toThrow(expect.toSatisfy((error: unknown) => core.isLmdError(error, 'INVALID_ARGUMENT')));
    expect(refused).not.toThrow(core.LmdError);
  });

  it('are refused in one sentence before the run starts if a contract differs', async () => {
    await expect(train({ backend: createReferenceBackend(), optimizer: newer.adamw() })).rejects.toThrow(
      `The optimizer "adamw" of @lmd/core 0.99.0 has lmd-optimizer-v2, but @lmd/training ${trainingVersion}, with ` +
        `@lmd/core ${coreVersion}, takes lmd-optimizer-v1. Two copies of @lmd/core are installed. Keep one; ` +
        'npm ls @lmd/core shows what requires each.',
    );
  });
});
