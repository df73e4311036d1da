import { createCpuBackend } from '@lmd/backends/cpu';
import { type Level, levels, loadNative } from '@lmd/native';
import { describe, expect, it, vi } from 'vitest';
import { backendConformance } from './index.js';

/** The level to which the next backend is limited. */
const limit = vi.hoisted(() => ({ level: undefined as Level | undefined }));
vi.mock('@lmd/native', async (original) => {
  const actual = await original<typeof import('@lmd/native')>();
  const limited: typeof loadNative = (options = {}) =>
    actual.loadNative(limit.level === undefined ? options : { ...options, level: limit.level });
  return { ...actual, loadNative: limited };
});

const requested = process.env.LMD_NATIVE_SUITE !== undefined;
/** Why a level is not tested, if it is not. */
function reasonOf(level: Level): string | undefined {
  return requested ? loadNative({ level }).reason : 'node scripts/native-tests.mjs runs this';
}

// Each level of instructions that this processor has, with every operation on two threads, however small. The backend
// does not use the scalar level, since WebAssembly is faster.
for (const level of levels.filter((level) => level !== 'scalar')) {
  const name = `cpu, native kernels limited to ${level}`;
  const reason = reasonOf(level);
  if (reason !== undefined) {
    describe(name, () => it.skip(reason, () => {}));
    continue;
  }
  const create = async () => {
    limit.level = level;
    const backend = await createCpuBackend({ native: 'require', threads: 2, parallelThreshold: 0 });
    if (backend.native.level !== level) throw new Error(`The backend uses ${backend.native.level}, not ${level}.`);
    return backend;
  };
  backendConformance({ describe, it, expect }, { name, create });
}
