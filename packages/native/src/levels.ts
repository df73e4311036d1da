/** The instruction sets that there are kernels for, the fastest first: those of x64, of arm64, and plain C. */
export const levels = ['avx512', 'avx2', 'neon', 'scalar'] as const;
export type Level = (typeof levels)[number];

/** `fused` rounds a·b + c once; `strict` rounds twice. */
export type Arithmetic = 'fused' | 'strict';

/** As the makers of processors write it. */
export const levelNames: Readonly<Record<Level, string>> = {
  avx512: 'AVX-512',
  avx2: 'AVX2',
  neon: 'NEON',
  scalar: 'plain C',
};
