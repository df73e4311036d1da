/**
 * Products, on one memory. Each does the part `from` to `to` of its work, so that threads share it; all have the
 * arguments and give the bits of the WebAssembly kernels of `@lmd/backends/cpu`. Addresses are bytes in the memory,
 * sizes and strides are elements.
 */
export interface NativeKernels {
  /**
   * Products [m, k]·[k, n] of f32 by rows; a transposed operand is stored [k, m] or [n, k]. Strides lie between the
   * matrices of a batch, 0 for one that all share. Parts of results: matrix, then `partRows` rows, then `partColumns`
   * columns.
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
   * Exact products [m, terms]·[n, terms]ᵀ of operands in blocks that share a scale. At `settings`, 26 words (i32): the
   * second is the number of elements in a block of the product, the fourth the exponent of what is left of both units;
   * after four, eleven for each operand: the addresses of its codes and scales, rows of a matrix, terms, elements that
   * share a scale, whether codes are i16, whether scales are f32, whether all matrices of a batch are one, the exponent
   * of its unit, and two that are not used. Parts are as those of `matmul`. `BlockProductKernels` in `@lmd/core` is the
   * definition.
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

/**
 * What the steps of training do between products: with fused arithmetic and vectors alone, but for the kernels that
 * multiply and add nowhere (those of block formats), which strict arithmetic has too. Where one is missing, that of
 * WebAssembly gives the same bits.
 */
export interface ElementKernels {
  /**
   * Elements. The operation: negative, absolute, sign, exp, log, sqrt, tanh, erf, round, to BF16; to i32, and
   * i32 to f32.
   */
  unary(from: number, to: number, operation: number, x: number, out: number): void;
  /** Elements: x·Φ(x). */
  geluExact(from: number, to: number, x: number, out: number): void;
  geluExactGradient(from: number, to: number, x: number, dy: number, out: number): void;
  geluTanh(from: number, to: number, x: number, out: number): void;
  geluTanhGradient(from: number, to: number, x: number, dy: number, out: number): void;
  /** Elements, `from` a multiple of 4: bits, uniforms or normals by Philox, for `kind` 0, 1 or 2. */
  random(
    from: number,
    to: number,
    kind: number,
    target: number,
    stream: number,
    step: number,
    sample: number,
    seedLow: number,
    seedHigh: number,
  ): void;
  /** Elements, `from` a multiple of 4. */
  lmdDraw(
    from: number,
    to: number,
    logPlus: number,
    logMinus: number,
    out: number,
    noise: number,
    stream: number,
    step: number,
    sample: number,
    seedLow: number,
    seedHigh: number,
  ): void;
  /**
   * Elements, `from` a multiple of 4. At `table`, six words (u32) for each of `samples`: the address of its gradient,
   * stream, step, sample, seedLow, seedHigh. The momentum of minus is 0 where both halves share one.
   */
  lmdUpdate(
    from: number,
    to: number,
    logPlus: number,
    logMinus: number,
    momentumPlus: number,
    momentumMinus: number,
    outLogPlus: number,
    outLogMinus: number,
    outMomentumPlus: number,
    outMomentumMinus: number,
    table: number,
    samples: number,
    share: number,
    noise: number,
    learningRate: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    regularization: number,
    regularizer: number,
    logPriorMedian: number,
    useSign: boolean,
  ): void;
  /** Elements. */
  adamwUpdate(
    from: number,
    to: number,
    weights: number,
    first: number,
    second: number,
    gradient: number,
    outWeights: number,
    outFirst: number,
    outSecond: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    rate: number,
    secondScale: number,
    epsilon: number,
    kept: number,
  ): void;
  /** Rows, in matrices of `height`: with `causal`, row r of each sees the first r + 1 values. */
  softmax(
    from: number,
    to: number,
    x: number,
    out: number,
    width: number,
    height: number,
    scale: number,
    causal: boolean,
  ): void;
  /** Rows. */
  softmaxGradient(from: number, to: number, y: number, dy: number, out: number, width: number, scale: number): void;
  /** Rows. */
  crossEntropy(from: number, to: number, logits: number, labels: number, out: number, classes: number): void;
  /** Rows. */
  crossEntropyGradient(
    from: number,
    to: number,
    logits: number,
    labels: number,
    dy: number,
    out: number,
    classes: number,
  ): void;
  /** Rows. */
  layerNorm(
    from: number,
    to: number,
    x: number,
    gain: number,
    bias: number,
    out: number,
    width: number,
    epsilon: number,
  ): void;
  /**
   * Parts of 256 rows; each puts 2 float64 sums a column, the columns counted in fours, into `totals`: those for gain,
   * then for bias. `scratch` is half as large.
   */
  layerNormGradient(
    from: number,
    to: number,
    x: number,
    gain: number,
    dy: number,
    out: number,
    totals: number,
    scratch: number,
    rows: number,
    width: number,
    epsilon: number,
  ): void;
  /** Rows. */
  decodeOperand(
    from: number,
    to: number,
    codes: number,
    scales: number,
    out: number,
    terms: number,
    blockSize: number,
    wide: boolean,
    floatScales: boolean,
    unit: number,
    tensorScale: number,
  ): void;
  /** Rows; this, and those that round, as `InMemoryKernels` of `@lmd/mx-formats` defines them. */
  encodeIntegersInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    codes: number,
    scales: number,
    words: number,
    length: number,
    blocks: number,
    wide: boolean,
  ): void;
  /**
   * `encodeIntegersInMemory` of transposed matrices [length, columns], as whose rows their columns are encoded; blocks
   * are of a multiple of 16 elements. It counts matrices, strips of 32 columns, and blocks of a column.
   */
  encodeIntegersOfColumns(
    from: number,
    to: number,
    settings: number,
    source: number,
    codes: number,
    scales: number,
    words: number,
    length: number,
    blocks: number,
    wide: boolean,
    columns: number,
  ): void;
  roundRowsInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    target: number,
    words: number,
    length: number,
  ): void;
  roundSlabsInMemory(
    from: number,
    to: number,
    settings: number,
    source: number,
    target: number,
    words: number,
    length: number,
    blocks: number,
    inner: number,
  ): void;
  /**
   * Attention of one query for each head of `width`: heads of all matrices, of which each has the keys of `heads`
   * heads, `keys` rows of codes each, and then their values. A row has blocks of `size` codes and their scale bytes, as
   * the cpu backend lays them out; of kind 0 to 2: 4 bits, a byte of sign and magnitude, an integer of a byte. An
   * element has so many bits of mantissa and its least normal exponent.
   */
  codedAttention(
    from: number,
    to: number,
    query: number,
    codes: number,
    out: number,
    heads: number,
    keys: number,
    width: number,
    size: number,
    kind: number,
    mantissaBits: number,
    emin: number,
    scale: number,
  ): void;
  /**
   * x [m, 64·chunks] · the rows `from` to `to` of packed weights, transposed: those columns of out [m, n]. The kind of
   * codes, 0 to 5: nibbles, 6 bits with 3 and 2 bits of mantissa, 8 bits with 3 and 2, integers. Blocks are of 2^(shift
   * + 4) codes; at `tables` are 268 words, as the cpu backend arranges them. With AVX-512 and NEON
   * alone.
   */
  packedRowProducts(
    from: number,
    to: number,
    kind: number,
    codes: number,
    scales: number,
    tables: number,
    shift: number,
    chunks: number,
    x: number,
    out: number,
    m: number,
    n: number,
  ): void;
  /**
   * Strips of 32 rows of matrices turned round: `rows` × `columns` with contiguous columns and rows `sourceStride`
   * apart, to contiguous rows with columns `targetStride` apart. Matrices are counted over two axes, the inner one of
   * extent `e1`, with source steps s and target steps t.
   */
  turnMatrices(
    from: number,
    to: number,
    source: number,
    target: number,
    rows: number,
    columns: number,
    sourceStride: number,
    targetStride: number,
    e1: number,
    s0: number,
    s1: number,
    t0: number,
    t1: number,
  ): void;
}

/** A memory whose buffer another replaces when it grows, as `WebAssembly.Memory`. It may be shared. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
}

/** All kernels. */
export type AllKernels = NativeKernels & ElementKernels;
export type KernelName = keyof AllKernels;

/** A kernel of the add-on: a view on all of a memory, then the arguments. It refuses what does not lie within. */
export type RawKernel = (memory: Uint8Array, ...rest: readonly (number | boolean)[]) => void;

/** Checks of the arguments of some kernels. */
export type Bounds<Names extends KernelName> = {
  readonly [Name in Names]: (memory: Uint8Array, ...task: Parameters<AllKernels[Name]>) => void;
};
