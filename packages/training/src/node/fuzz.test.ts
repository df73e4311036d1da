import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, isLmdError, lmd } from '@lmd/core';
import { expect, it } from 'vitest';
import { forge, mutateText, randomWords } from '../../test/mutate.js';
import { base, keepSnapshots, outcome, rejection } from '../../test/small-run.js';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { moons } from '../../test/tiny-mlp.js';
import { problemOf } from '../checkpoints/check-checkpoint.js';
import { decodeCheckpoint, encodeCheckpoint } from '../checkpoints/checkpoint-format.js';
import { earlyStopping, train, weightAveraging } from '../index.js';
import { readCheckpoint } from './checkpoint-files.js';
import { metricsFile, parseMetrics, readMetrics } from './metrics-file.js';

// The suite of native tests sets this to 10,000.
const inputs = Number(process.env.LMD_FUZZ_FILES ?? 1000);
/** Every so many go through the disk too. */
const throughDisk = 100;
const timeout = 600_000;

/** A file whose text is damaged, tensors aside, with lengths and digest that fit again, or without. */
function damaged(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const headerEnd = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = mutateText(Buffer.from(bytes.subarray(8, headerEnd)).toString('latin1'), random);
  const text = Buffer.from(header.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`), 'latin1');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(random(20) === 0 ? random(2 ** 32) : text.length));
  const whole = Buffer.concat([length, text, bytes.subarray(headerEnd)]);
  const place = whole.indexOf('"sha256":"');
  if (place < 0 || random(20) === 0) return whole;
  whole.write(createHash('sha256').update(whole).digest('hex'), place + '"sha256":"'.length, 'latin1');
  return whole;
}

it(`reads ${inputs} damaged checkpoints, digests set right, as checkpoints or not at all`, { timeout }, async () => {
  const saver = keepSnapshots();
  const plugins = () => [weightAveraging(), earlyStopping({ patience: 99 })];
  const options = () => ({
    ...base(),
    optimizer: lmd(),
    data: { train: moons(40), validation: moons(8) },
    evaluateEvery: 2,
  });
  await outcome({ ...options(), plugins: [...plugins(), saver] });
  const bytes = await encodeCheckpoint(saver.last);
  const random = randomWords(20261130);
  const folder = await temporaryFolder();
  const counts = { corrupt: 0, read: 0, resumed: 0 };
  for (let index = 0; index < inputs; index++) {
    // By turns damaged as text, and forged: a whole file, by whoever wrote it.
    const forged = index % 2 === 0 ? undefined : (forge(saver.last, random) as typeof saver.last);
    const file = forged === undefined ? damaged(bytes, random) : await encodeCheckpoint(forged).catch(() => undefined);
    if (file === undefined) continue;
    const result = await decodeCheckpoint(file).catch((error: unknown) => error);
    if (index % throughDisk === 0) {
      const path = join(folder, 'step-00000001.safetensors');
      await writeFile(path, file);
      const fromDisk = await readCheckpoint(path).catch((error: unknown) => error);
      expect(isLmdError(fromDisk, 'CHECKPOINT_CORRUPT')).toBe(isLmdError(result, 'CHECKPOINT_CORRUPT'));
    }
    if (result instanceof Error) {
      expect(isLmdError(result, 'CHECKPOINT_CORRUPT'), result.stack).toBe(true);
      expect(result.message.length).toBeLessThan(2000);
      counts.corrupt++;
      continue;
    }
    counts.read++;
    expect(problemOf(result)).toBeUndefined();
    // What it says may be anything. A run goes on from it or says why not, and leaves nothing behind.
    if (counts.read % 4 !== 0) continue;
    const ops = createOperations(createReferenceBackend());
    const checkpoint = result as Awaited<ReturnType<typeof decodeCheckpoint>>;
    const run = train({ ...options(), ops, backend: undefined, plugins: plugins(), resume: { checkpoint } });
    const error = await run.then(
      (trained) => trained.dispose(),
      (thrown: unknown) => thrown,
    );
    if (error === undefined) counts.resumed++;
    else expect(isLmdError(error), String((error as Error).stack)).toBe(true);
    expect(ops.memory().tensors).toBe(0);
  }
  // Both sorts, so that the checks behind the digest are at work.
  expect(counts.corrupt).toBeGreaterThan(inputs / 4);
  expect(counts.resumed).toBeGreaterThan(0);

  expect(counts.read).toBeGreaterThan(inputs / 10);
});

it(`reads ${inputs} damaged metrics files as lines of metrics, or says which line is none`, { timeout }, async () => {
  const path = join(await temporaryFolder(), 'metrics.jsonl');
  const report = { name: 'report', step: () => undefined };
  await outcome({
    ...base(),
    data: { train: moons(40), validation: moons(8) },
    evaluateEvery: 3,
    plugins: [metricsFile({ path }), report],
  });
  const lines = await readMetrics(path);
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const random = randomWords(7);
  let refused = 0;
  for (let index = 0; index < inputs; index++) {
    const other = mutateText(text, random);
    const read = async () => {
      if (index % throughDisk !== 0) return parseMetrics(other, path);
      await writeFile(path, other);
      return readMetrics(path);
    };
    const result = await read().catch((error: unknown) => error);
    if (result instanceof Error) {
      expect(isLmdError(result, 'DATA_CORRUPT'), result.stack).toBe(true);
      expect(result.message).toMatch(/line \d+ is not a valid line of metrics/);
      refused++;
      continue;
    }
    for (const line of result as typeof lines) {
      expect(Number.isSafeInteger(line.step)).toBe(true);
      if (line.type === 'step' || line.type === 'evaluation') expect(typeof line.loss).toBe('number');
    }
  }
  expect(refused).toBeGreaterThan(inputs / 4);
  expect(refused).toBeLessThan(inputs);
  expect(await rejection(readMetrics(join(path, 'none')))).toSatisfy((error) => isLmdError(error, 'FILE_SYSTEM'));
});
