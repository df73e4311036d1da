import type { InMemoryKernels } from '@lmd/mx-formats';
import type { NativeKernels } from '@lmd/native';

/** Kernels of `@lmd/mx-formats`. */
type FormatKernels = Omit<InMemoryKernels, 'initialize' | 'workspaceBytes'>;

/**
 * The kernels that `assembly/index.ts` exports. Each does the part `from` to `to` of its range: elements (`from` a multiple of 16) where
 * nothing else is said. Addresses are bytes in the backend's memory, sizes and strides are elements.
 * The products are those of `@lmd/native`; here `partRows` is a multiple of 6 in `matmul`, of 4 in `blockMatmul`, `partColumns` of 8.
 * The settings of `blockMatmul`: see `assembly/block-matmul.ts`.
 */
export interface Kernels extends FormatKernels, NativeKernels {
  unary(from: number, to: number, operation: number, x: number, out: number): void;
  /** Rows over outer axes of extents [any, e1, e2]; where `width` is 0, elements of one row. */
  binary(
    from: number,
    to: number,
    operation: number,
    a: number,
    b: number,
    out: number,
    width: number,
    e1: number,
    e2: number,
    a0: number,
    a1: number,
    a2: number,
    stepA: number,
    b0: number,
    b1: number,
    b2: number,
    stepB: number,
  ): void;
  select(
    from: number,
    to: number,
    condition: number,
    stepCondition: number,
    a: number,
    stepA: number,
    b: number,
    stepB: number,
    out: number,
  ): void;
  scaleProduct(from: number, to: number, out: number, factor: number, exponent: number): void;
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
  /** Rows of packed weights; see `assembly/packed-rows.ts`. */
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
  /** Rows of the result. */
  decodePackedRows(
    from: number,
    to: number,
    kind: number,
    codes: number,
    scales: number,
    tables: number,
    shift: number,
    chunks: number,
    indices: number,
    out: number,
    rows: number,
    terms: number,
  ): void;
  geluExact(from: number, to: number, x: number, out: number): void;
  geluExactGradient(from: number, to: number, x: number, dy: number, out: number): void;
  geluTanh(from: number, to: number, x: number, out: number): void;
  geluTanhGradient(from: number, to: number, x: number, dy: number, out: number): void;
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
  /** Parts of 256 rows. */
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
  /** Elements, `from` a multiple of 1024. */
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
  /** Elements, `from` a multiple of 1024. */
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
  /** Elements, `from` a multiple of 1024. */
  encodeBlocks(from: number, to: number, table: number, vectors: number, words: number, stochastic: boolean): void;
  /** Elements, `from` a multiple of 128. */
  decodeBlocks(from: number, to: number, table: number, vectors: number, words: number): void;
  /** Rows over outer axes of extents [any, e1, e2]. */
  copyRows(
    from: number,
    to: number,
    source: number,
    target: number,
    length: number,
    step: number,
    e1: number,
    e2: number,
    s0: number,
    s1: number,
    s2: number,
    t0: number,
    t1: number,
    t2: number,
  ): void;
  /** Strips of 32 rows of matrices over outer axes of extents [any, e1]. */
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
  /** Indices. */
  gatherRows(
    from: number,
    to: number,
    x: number,
    indices: number,
    out: number,
    rows: number,
    width: number,
    integers: boolean,
  ): void;
  /** Rows of the result. */
  scatterAddRows(
    from: number,
    to: number,
    indices: number,
    updates: number,
    out: number,
    count: number,
    width: number,
    integers: boolean,
  ): void;
  /** Rows. */
  sumRows(from: number, to: number, x: number, out: number, width: number): void;
  /** Parts of rows: row, then part. */
  sumRowParts(
    from: number,
    to: number,
    x: number,
    totals: number,
    width: number,
    partWidth: number,
    parts: number,
  ): void;
  /** Part of rows, then band of 512 columns. */
  sumColumnParts(
    from: number,
    to: number,
    x: number,
    totals: number,
    rows: number,
    width: number,
    partRows: number,
  ): void;
  /** Sums of float64 totals. */
  addParts(
    from: number,
    to: number,
    totals: number,
    out: number,
    parts: number,
    partStride: number,
    stride: number,
  ): void;
  /** Rows. */
  maxRows(from: number, to: number, x: number, out: number, width: number): void;
  /** Outer indices of [any, terms, inner]. */
  sumSlabs(from: number, to: number, x: number, out: number, terms: number, inner: number): void;
  /** Outer indices of [any, terms, inner]. */
  maxSlabs(from: number, to: number, x: number, out: number, terms: number, inner: number): void;
  /** Rows. */
  argMaxRows(from: number, to: number, x: number, out: number, width: number, integers: boolean): void;
}

/** What the backend's own module exports. */
export interface KernelModule extends Omit<Kernels, keyof FormatKernels> {
  /** The first byte of memory that the module does not use itself. */
  firstFree(): number;
  /** What `initialize` takes for one thread. */
  workspaceBytes(): number;
  initialize(workspace: number): void;
}

export type KernelName = keyof Kernels;

/** The arguments of a kernel after its range. */
export type KernelArguments<Name extends KernelName> =
  Parameters<Kernels[Name]> extends [number, number, ...infer Rest] ? Rest : never;
