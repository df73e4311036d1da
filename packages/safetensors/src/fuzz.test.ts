import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import {
  byteLengthOf,
  isSafetensorsError,
  openSafetensors,
  parseSafetensors,
  type SafetensorsFile,
  serializeSafetensors,
  tensorFrom,
} from './index.js';
import { openSafetensorsFile, readSafetensorsFile } from './node/index.js';
import { headerLength, mutate, Random } from './testing/mutate.js';

// The native suite sets this to 10,000, and `npm run fuzz` to 100,000.
const files = Number(process.env.LMD_FUZZ_FILES ?? 5000);
/** Every so many go through the disk too. */
const throughDisk = 100;

const golden = async (name: string) =>
  new Uint8Array(await readFile(new URL(`../test/golden/${name}`, import.meta.url)));
const originals = [
  await golden('every-dtype.safetensors'),
  await golden('empty.safetensors'),
  serializeSafetensors({
    tensors: {
      'layer.weight': tensorFrom(new Float32Array(6).fill(1.5), [2, 3]),
      'layer.codes': { dtype: 'F6_E3M2', shape: [4, 2], data: new Uint8Array(6).fill(2) },
      nothing: tensorFrom(new Float32Array(0), [0, 7]),
      step: tensorFrom(new BigInt64Array([7n]), []),
    },
    metadata: { format: 'lmd', note: 'a "quoted" value' },
  }),
];

/** What a file is taken for: an error's code, or the tensors. Any other error goes through. */
async function outcome(read: () => unknown): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    if (!isSafetensorsError(error)) throw error;
    expect(error.message.length).toBeLessThan(2000);
    return error.code;
  }
}

async function readAll(file: SafetensorsFile): Promise<{ metadata: unknown; tensors: Map<string, unknown> }> {
  const tensors = new Map<string, unknown>();
  for (const name of file.entries.keys()) tensors.set(name, await file.read(name));
  await file.close();
  return { metadata: file.metadata, tensors };
}

/** Tells when a byte is asked for that is not there. */
const guarded = (bytes: Uint8Array) => ({
  name: 'damaged',
  size: bytes.length,
  async read(position: number, length: number) {
    if (position < 0 || length < 0 || position + length > bytes.length) throw new Error('It reads past the end.');
    return bytes.slice(position, position + length);
  },
  close: async () => undefined,
});

const folder = await mkdtemp(join(tmpdir(), 'lmd-fuzz-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

it(`gives a typed error or exactly what the bytes say, on ${files} damaged files`, { timeout: 600_000 }, async () => {
  const random = new Random(20260701);
  const counts = new Map<string, number>();
  for (let index = 0; index < files; index++) {
    const bytes = mutate(originals, random);
    const result = await outcome(() => parseSafetensors(bytes));
    const kind = typeof result === 'string' ? result : 'accepted';
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (typeof result !== 'string') {
      // Every byte belongs to exactly one tensor, the header, or its length.
      const { tensors } = result as ReturnType<typeof parseSafetensors>;
      let expected = bytes.byteOffset + 8 + headerLength(bytes);
      for (const { dtype, shape, data } of tensors.values()) {
        expect(data.byteOffset).toBe(expected);
        expect(data.length).toBe(byteLengthOf(dtype, shape));
        expected += data.length;
      }
      expect(expected).toBe(bytes.length);
      const again = parseSafetensors(serializeSafetensors(result as ReturnType<typeof parseSafetensors>));
      expect(again.tensors.size).toBe(tensors.size);
    }
    // Tensor by tensor, it comes to the same.
    const lazily = await outcome(async () => readAll(await openSafetensors(guarded(bytes))));
    if (kind === 'accepted') expect(lazily).toEqual(result);
    else expect(lazily).toBe(kind);
    if (index % throughDisk === 0) {
      const path = join(folder, 'damaged.safetensors');
      await writeFile(path, bytes);
      const whole = await outcome(() => readSafetensorsFile(path));
      const opened = await outcome(async () => readAll(await openSafetensorsFile(path)));
      if (kind === 'accepted') expect([whole, opened]).toEqual([result, result]);
      else expect([whole, opened]).toEqual([kind, kind]);
    }
  }
  // The damage is of every sort, so that each check is at work.
  for (const code of [
    'TRUNCATED',
    'HEADER_TOO_LARGE',
    'HEADER_INVALID',
    'NAME_INVALID',
    'DTYPE_UNKNOWN',
    'SHAPE_INVALID',
    'OFFSETS_INVALID',
    'accepted',
  ]) {
    expect(counts.get(code) ?? 0, code).toBeGreaterThan(files / 10_000);
  }
  expect(counts.get('accepted')!).toBeLessThan(files / 3);
  if (process.env.LMD_FUZZ_FILES !== undefined) console.log(Object.fromEntries([...counts].sort()));
});
