/**
 * The kernels, on one memory. Each does the part `from` to `to` of its work, so that threads share it; all have the arguments and give the
 * bits of the WebAssembly kernels of `@lmd/backends/cpu`. Addresses are bytes in the memory, sizes and strides are elements.
 */
export interface NativeKernels {
  /**
   * Products [m, k]·[k, n] of f32 by rows; a transposed operand is stored [k, m] or [n, k]. Strides lie between the matrices of a batch, 0
   * for one that all share. Parts of results: matrix, then `partRows` rows, then `partColumns` columns.
   */
  matmul(
    from: number,
    to: number,
    a: number,
    b: number,
    out: number,
    m: number,
    k: number,
    n: number,
    transposeA: boolean,
    transposeB: boolean,
    strideA: number,
    strideB: number,
    partRows: number,
    partColumns: number,
  ): void;
  /**
   * Exact products [m, terms]·[n, terms]ᵀ of operands in blocks that share a scale. At `settings`, 26 words (i32): the second is the number of
   * elements in a block of the product, the fourth the exponent of what is left of both units; after four, eleven for each operand: the
   * addresses of its codes and scales, rows of a matrix, terms, elements that share a scale, whether codes are i16, whether scales are
   * f32, whether all matrices of a batch are one, the exponent of its unit, and two that are not used. Parts are as those of `matmul`.
   * `BlockProductKernels` in `@lmd/core` is the definition.
   */
  blockMatmul(
    from: number,
    to: number,
    settings: number,
    out: number,
    m: number,
    terms: number,
    n: number,
    partRows: number,
    partColumns: number,
  ): void;
}

/** A memory whose buffer another replaces when it grows, as `WebAssembly.Memory`. It may be shared. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
}

export type KernelName = keyof NativeKernels;

/** A kernel of the add-on: a view on all of a memory, then the arguments. It refuses what does not lie within. */
export type RawKernel = (memory: Uint8Array, ...rest: readonly (number | boolean)[]) => void;
