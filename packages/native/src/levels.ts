/** The instruction sets that there are kernels for, the fastest first: those of x64, of arm64, and plain C. */
export const levels = ['avx512-vnni', 'avx512', 'avx2-vnni', 'avx2', 'neon-dot', 'neon', 'scalar'] as const;
export type Level = (typeof levels)[number];

/** `fused` rounds a·b + c once; `strict` rounds twice. */
export type Arithmetic = 'fused' | 'strict';

/** Names as processor vendors write them. */
export const levelNames: Readonly<Record<Level, string>> = {
  'avx512-vnni': 'AVX-512 with VNNI',
  avx512: 'AVX-512',
  'avx2-vnni': 'AVX2 with AVX-VNNI',
  avx2: 'AVX2',
  'neon-dot': 'NEON with dot products',
  neon: 'NEON',
  scalar: 'plain C',
};
