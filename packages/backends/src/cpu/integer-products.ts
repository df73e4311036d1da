import type { Level } from '@lmd/native';
import { dotInSteps } from './threads/platform.js';
import type { WasmInstance } from './wasm/instance.js';

/**
 * How native kernels multiply integers of one byte; see `integers-*.h` of `@lmd/native`. Those of two bytes are
 * multiplied as i16.
 */
const nativeInstructions: Readonly<Record<Level, string>> = {
  'avx512-vnni': 'dot products of bytes, 512 bits (vpdpbusd of VNNI)',
  avx512: 'products of i16, 512 bits (vpmaddwd)',
  'avx2-vnni': 'dot products of bytes, 256 bits (vpdpbusd of AVX-VNNI)',
  avx2: 'products of i16, 256 bits (vpmaddwd)',
  'neon-dot': 'dot products of bytes, 128 bits (sdot)',
  neon: 'products of i16, 128 bits (smull)',
  scalar: 'products of bytes in plain C',
};

/**
 * How the exact products of block formats multiply integers of one byte here, for the user to read; every way has the
 * same bits.
 */
export function integerProductsOf({ native, arithmetic }: Pick<WasmInstance, 'native' | 'arithmetic'>): string {
  if (native !== undefined) return nativeInstructions[native.level];
  if (arithmetic === 'strict') return 'products of i16, 128 bits (i32x4.dot_i16x8_s)';
  const instruction = dotInSteps()
    ? 'i16x8.relaxed_dot_i8x16_i7x16_s, in two steps'
    : 'i32x4.relaxed_dot_i8x16_i7x16_add_s';
  return `dot products of bytes where a side fits 7 bits (E2M1, E2M3), else of i16, 128 bits (${instruction})`;
}
