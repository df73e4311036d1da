import { copyFile, mkdir, open, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, outcome, rejection } from '../../test/small-run.js';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Plugin, train } from '../index.js';
import { checkpointPath } from './checkpoint-files.js';
import { checkpointing, latestCheckpoint, readCheckpoint, readManifest, writeCheckpoint } from './index.js';

async function snapshot(): Promise<Checkpoint> {
  const saver = keepSnapshots();
  await outcome({ ...base(), plugins: [saver] });
  return saver.last;
}

describe('latestCheckpoint', () => {
  it('passes over a damaged file above 512 MiB, whose header would be as long', async () => {
    const folder = await temporaryFolder();
    const whole = await writeCheckpoint(folder, { ...(await snapshot()), step: 3 });
    const damaged = checkpointPath(folder, 7);
    const file = await open(damaged, 'w');
    await file.write(Buffer.from([0xff, 0xff, 0xff, 0x7f]));
    await file.truncate(560 * 2 ** 20);
    await file.close();
    const found = await latestCheckpoint(folder);
    expect([found!.path, found!.checkpoint.step]).toEqual([whole, 3]);
    expect(found!.skipped).toEqual([
      { path: damaged, reason: expect.stringMatching(/header length is 2147483647 bytes/) },
    ]);
    // The bytes in memory are no more text than those of a file.
    const bytes = new Uint8Array(560 * 2 ** 20);
    bytes.set([0xff, 0xff, 0xff, 0x7f]);
    expect(isLmdError(await rejection(decodeCheckpoint(bytes)), 'CHECKPOINT_CORRUPT')).toBe(true);
  });

  it('sees only files that are named as it names them', async () => {
    const folder = await temporaryFolder();
    const whole = await writeCheckpoint(folder, { ...(await snapshot()), step: 3 });
    for (const name of [
      'step-0000000000009999.safetensors',
      'step-9007199254740993.safetensors',
      'step-12.safetensors',
    ]) {
      await copyFile(whole, join(folder, name));
    }
    await mkdir(join(folder, 'step-00000008.safetensors'));
    if (process.platform !== 'win32') await symlink('nowhere', join(folder, 'step-00000009.safetensors'));
    const found = await latestCheckpoint(folder);
    expect([found!.path, found!.skipped]).toEqual([whole, []]);
  });

  it('takes any other file for a damaged one', async () => {
    const folder = await temporaryFolder();
    const whole = await writeCheckpoint(folder, { ...(await snapshot()), step: 3 });
    const others: readonly (string | Uint8Array)[] = ['', 'text', new Uint8Array(8), new Uint8Array(5000).fill(0xff)];
    for (const [index, contents] of others.entries()) await writeFile(checkpointPath(folder, 4 + index), contents);
    const found = await latestCheckpoint(folder);
    expect([found!.path, found!.skipped!.length]).toEqual([whole, others.length]);
  });
});

describe('a forged checkpoint', () => {
  const without = (name: string) => (checkpoint: Checkpoint) => {
    const { [name as 'identity']: _, ...rest } = checkpoint;
    return rest as Checkpoint;
  };
  const changes: { readonly [what: string]: (checkpoint: Checkpoint) => Checkpoint } = {
    'without identity': without('identity'),
    'without versions': without('versions'),
    'without seconds': without('seconds'),
    'of step 2.5': (checkpoint) => ({ ...checkpoint, step: 2.5 }),
    'of step -1': (checkpoint) => ({ ...checkpoint, step: -1 }),
    'of a step in words': (checkpoint) => ({ ...checkpoint, step: '3' as never }),
    "of no optimizer's step": (checkpoint) => ({ ...checkpoint, optimizerStep: null as never }),
    'with another validation': (checkpoint) => ({ ...checkpoint, lastValidation: { loss: 'low' } as never }),
  };

  it.each(Object.keys(changes))('%s is refused, from bytes and as it is, and nothing is left behind', async (what) => {
    const forged = changes[what]!(await snapshot());
    expect(isLmdError(await rejection(decodeCheckpoint(await encodeCheckpoint(forged))), 'CHECKPOINT_CORRUPT')).toBe(
      true,
    );
    const ops = createOperations(createReferenceBackend());
    const error = await rejection(train({ ...base(), ops, backend: undefined, resume: { checkpoint: forged } }));
    expect(isLmdError(error, 'CHECKPOINT_CORRUPT'), String(error)).toBe(true);
    expect(ops.memory().tensors).toBe(0);
  });

  it.each<[string, (checkpoint: Checkpoint) => Checkpoint]>([
    ['beyond the last step', (checkpoint) => ({ ...checkpoint, step: 1e9 })],
    [
      'with a tensor that is not as long as its shape',
      (checkpoint) => ({
        ...checkpoint,
        tensors: Object.fromEntries(
          Object.entries(checkpoint.tensors).map(([name, tensor], index) => [
            name,
            index === 3 ? { ...tensor, data: new Float32Array(1) } : tensor,
          ]),
        ),
      }),
    ],
  ])('%s leaves nothing behind', async (_, change) => {
    const ops = createOperations(createReferenceBackend());
    const resume = { checkpoint: change(await snapshot()) };
    expect(isLmdError(await rejection(train({ ...base(), ops, backend: undefined, resume })))).toBe(true);
    expect(ops.memory().tensors).toBe(0);
  });

  it('frees what a plugin did not take over', async () => {
    const memory = (): Plugin => ({
      name: 'memory',
      state: () => ({ tensors: {} }),
      restore() {
        throw new Error('no');
      },
    });
    const saver = keepSnapshots();
    await outcome({ ...base(), plugins: [memory(), saver] });
    const tensors = { x: { shape: [2], dtype: 'f32', data: new Float32Array(2) } } as const;
    const checkpoint = { ...saver.last, step: 2, plugins: { memory: { tensors } } };
    const ops = createOperations(createReferenceBackend());
    const run = train({ ...base(), ops, backend: undefined, plugins: [memory()], resume: { checkpoint } });
    expect(isLmdError(await rejection(run), 'PLUGIN_FAILURE')).toBe(true);
    expect(ops.memory().tensors).toBe(0);
  });

  it('may hold 200,000 tensors', async () => {
    const data = new Float32Array(1);
    const many = Object.fromEntries(
      Array.from({ length: 200_000 }, (_, index) => [`t${index}`, { shape: [], dtype: 'f32', data } as const]),
    );
    const checkpoint = { ...(await snapshot()), plugins: { many: { tensors: many } } };
    const decoded = await decodeCheckpoint(await encodeCheckpoint(checkpoint));
    expect(Object.keys(decoded.plugins.many!.tensors!)).toEqual(Object.keys(many));
  });

  it('keeps a validation result that is NaN', async () => {
    const lastValidation = { loss: Number.NaN, accuracy: 0, perplexity: Number.NaN, examples: 8, step: 6 };
    const { lastValidation: kept } = await decodeCheckpoint(
      await encodeCheckpoint({ ...(await snapshot()), lastValidation }),
    );
    expect(kept).toEqual(lastValidation);
  });
});

describe('checkpointing', () => {
  const run = (folder: string, ...plugins: Plugin[]) =>
    train({ ...base(), plugins: [checkpointing({ folder, every: 2 }), ...plugins] });

  it('warns once where manifest.json cannot be written, and goes on', async () => {
    const folder = join(await temporaryFolder(), 'checkpoints');
    await mkdir(join(folder, 'manifest.json', 'inner'), { recursive: true });
    const warnings: string[] = [];
    const result = await run(folder, { name: 'ear', warning: ({ message }) => void warnings.push(message) });
    expect([result.status, warnings]).toEqual([
      'finished',
      [expect.stringMatching(/list of checkpoints.*manifest\.json/)],
    ]);
    expect((await latestCheckpoint(folder))!.checkpoint.step).toBe(6);
    expect(await readManifest(folder)).toBeUndefined();
    result.dispose();
  });

  it.each(['{"format":"lmd-checkpoints-v1","checkpoints":[null,3,{"step":"x"}]}', '[]', '{'])(
    'makes a manifest anew of %s',
    async (text) => {
      const folder = join(await temporaryFolder(), 'checkpoints');
      await mkdir(folder);
      await writeFile(join(folder, 'manifest.json'), text);
      (await run(folder)).dispose();
      expect((await readManifest(folder))!.checkpoints.map(({ step }) => step)).toEqual([4, 6]);
    },
  );

  it('removes what a killed process left half written, and nothing else', async () => {
    const folder = join(await temporaryFolder(), 'checkpoints');
    await mkdir(join(folder, '.x.0123456789ab.tmp'), { recursive: true });
    for (const name of [
      '.step-00000009.safetensors.0a1b2c3d4e5f.tmp',
      '.manifest.json.0a1b2c3d4e5f.tmp',
      'notes.tmp',
      '.notes.tmp',
    ]) {
      await writeFile(join(folder, name), 'half');
    }
    (await run(folder)).dispose();
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp')).sort()).toEqual([
      '.notes.tmp',
      '.x.0123456789ab.tmp',
      'notes.tmp',
    ]);
  });

  it('does not bring back a run folder that was removed while it trained', async () => {
    const folder = join(await temporaryFolder(), 'run');
    const remove: Plugin = {
      name: 'remove',
      step: ({ step }) => (step === 3 ? rm(folder, { recursive: true }) : undefined),
    };
    const error = (await rejection(run(join(folder, 'checkpoints'), remove))) as Error;
    expect(isLmdError(error, 'PLUGIN_FAILURE') && isLmdError(error.cause, 'FILE_SYSTEM')).toBe(true);
    expect(await rejection(readdir(folder))).toMatchObject({ code: 'ENOENT' });
  });
});

it('reads a checkpoint by its path, and says which is missing', async () => {
  const folder = await temporaryFolder();
  const path = await writeCheckpoint(join(folder, 'a', 'b'), await snapshot());
  expect((await readCheckpoint(path)).step).toBe(6);
  const error = await rejection(readCheckpoint(join(folder, 'none.safetensors')));
  expect([isLmdError(error, 'FILE_SYSTEM'), String(error)]).toEqual([
    true,
    expect.stringContaining('none.safetensors'),
  ]);
});
