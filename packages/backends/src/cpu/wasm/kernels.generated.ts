// Made by scripts/build-wasm.mjs from assembly/: do not edit.

/**
 * The kernels of the module. Each does the part `from` to `to` of its range. Addresses are bytes in the backend's
 * memory, sizes and strides are elements.
 */
export interface WasmKernels {
  /**
   * One AdamW step (Loshchilov & Hutter, arXiv:1711.05101) of the elements `from` (a multiple of 16) to `to`; see
   * `host-kernels/adamw.ts` for the factors.
   */
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
  /** out[i] = Σ over `parts` of totals[part·partStride + i·stride], for i from `from` to `to`. */
  addParts(
    from: number,
    to: number,
    totals: number,
    out: number,
    parts: number,
    partStride: number,
    stride: number,
  ): void;
  /** Where the first largest value of each row is; a NaN counts as the largest. For the rows `from` to `to`. */
  argMaxRows(from: number, to: number, x: number, out: number, width: number, integers: boolean): void;
  /**
   * A `BinaryOperation` for the rows `from` to `to` of `width` results, counted over three outer axes of extents e (the
   * first is not needed); operands have the strides a0, a1, a2 along them, in elements, and step 0 or 1 within a row.
   * Where `width` is 0, all is one row, and `from` and `to` are elements of it.
   */
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
  /**
   * Products [m, terms]·[n, terms]ᵀ of encoded operands. At `settings`: a `ProductEntry`, then an `OperandEntry` for
   * each. `from` to `to` count parts of the results: matrix, then `partRows` rows (a multiple of 4), then `partColumns`
   * columns (a multiple of 8).
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
  /**
   * Attention of one query for each head, `from` to `to` of those of all matrices of a batch: the sums of `softmax` and
   * of products with one row. A matrix has the keys of all its heads, `keys` rows each, and then their values.
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
   * The rows `from` to `to` of `length` values, contiguous on both sides, or with one source value for each row (step
   * 0), counted over three outer axes of extents e (the first is not needed), with source strides s and target strides
   * t.
   */
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
  /** −log softmax of the rows `from` to `to` at their labels; NaN for a label out of range. */
  crossEntropy(from: number, to: number, logits: number, labels: number, out: number, classes: number): void;
  /** dy·(softmax − one-hot label) of the rows `from` to `to`; NaN rows for labels out of range. */
  crossEntropyGradient(
    from: number,
    to: number,
    logits: number,
    labels: number,
    dy: number,
    out: number,
    classes: number,
  ): void;
  /**
   * Unpacks the elements `from` (a multiple of 128) to `to` of vectors.
   *
   * @param table a `DecodeEntry` for each vector that is wanted
   */
  decodeBlocks(from: number, to: number, table: number, vectors: number, words: number): void;
  /**
   * The rows `from` to `to` of `terms` values. Integers take 2 bytes where `wide`, scales are f32 where `floatScales`;
   * `unit` is the value of an integer of 1, and `tensorScale` goes to each f32 scale.
   */
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
  /**
   * The values of rows of packed weights as rows of `terms` numbers: rows `from` to `to`, or, where `indices` is not 0,
   * those that it names there, NaN for one that is out of range.
   */
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
  /** The values of rows of codes. */
  decodeRows(
    from: number,
    to: number,
    codes: number,
    out: number,
    width: number,
    size: number,
    kind: number,
    mantissaBits: number,
    emin: number,
  ): void;
  /**
   * Packs the elements `from` (a multiple of 1024) to `to` of vectors, several codes in a word, and the scale of every
   * 128.
   *
   * @param table an `EncodeEntry` for each vector
   * @param stochastic whether the keys count; else codes are rounded to nearest
   */
  encodeBlocks(from: number, to: number, table: number, vectors: number, words: number, stochastic: boolean): void;
  /** The codes of rows of values that are rounded to the format already, in blocks of `size`, at most `width`. */
  encodeRows(
    from: number,
    to: number,
    x: number,
    codes: number,
    width: number,
    size: number,
    kind: number,
    mantissaBits: number,
    emin: number,
    emax: number,
  ): void;
  /**
   * Row indices[i] of x to row i of out, for i from `from` to `to`; an index out of range gives NaN, or 0 for integers.
   */
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
  /** x·Φ(x) of the elements `from` (a multiple of 16) to `to`. */
  geluExact(from: number, to: number, x: number, out: number): void;
  /** dy·(Φ(x) + x·φ(x)) of the elements `from` (a multiple of 16) to `to`. */
  geluExactGradient(from: number, to: number, x: number, dy: number, out: number): void;
  /** x·½(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³), of the elements `from` (a multiple of 16) to `to`. */
  geluTanh(from: number, to: number, x: number, out: number): void;
  /** dy times the derivative of `geluTanh`, of the elements `from` (a multiple of 16) to `to`. */
  geluTanhGradient(from: number, to: number, x: number, dy: number, out: number): void;
  /** gain·(x − mean)/√(variance + epsilon) + bias of the rows `from` to `to` of `width`. */
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
   * The gradient for x into `out`, of the parts `from` to `to` of 256 rows, and each part's sums for gain and bias, as
   * float64.
   *
   * @param totals room for 2 float64 sums a column, the columns counted in fours, for each part: gain, then bias
   * @param scratch room for 2 floats a column, likewise
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
  /**
   * w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻), of the elements `from` (a multiple of 1024) to `to`; noise is drawn in blocks
   * that stay in the cache.
   */
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
   * One step of LMD for the elements `from` (a multiple of 1024) to `to` of one weight tensor; see
   * `host-kernels/lmd.ts`.
   *
   * @param table a `SampleEntry` for each sample
   * @param momentumMinus 0 where both halves share one momentum, and gradients are not scaled by the sample
   * @param share 1 over the number of samples
   * @param regularizer a `Regularizer`
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
  /**
   * Products [m, k]·[k, n] of f32, row-major; a transposed operand is stored [k, m] or [n, k]. `strideA` and `strideB`
   * are elements between the matrices of a batch, 0 for one that all share. `from` to `to` count parts of the results:
   * matrix, then `partRows` rows (a multiple of 6), then `partColumns` columns (a multiple of 8).
   *
   * An element is one chain of multiply-adds over the terms in ascending order, from 0, so that neither tiles nor parts
   * change its bits, and another engine can give the same (`packages/native/c/matmul.h`). One row times a transposed
   * matrix is summed in eight lanes.
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
  /** out[r] = the largest value of row r, NaN where there is one, for the rows `from` to `to`. */
  maxRows(from: number, to: number, x: number, out: number, width: number): void;
  /**
   * Maxima over the middle one of the axes [any, `terms`, `inner`], for the outer indices `from` to `to`; NaN where
   * there is one.
   */
  maxSlabs(from: number, to: number, x: number, out: number, terms: number, inner: number): void;
  /** x [m, 64·chunks] · the rows `from` to `to` of packed weights, transposed: those columns of out [m, n]. */
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
   * Fills the elements `from` (a multiple of 16) to `to`, in whole sixteens, which a tensor's block has room for, with
   * what the `RandomKind` says.
   */
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
  /** y·factor·2^exponent for the elements `from` to `to`: the scales of whole tensors, the factor from 1 to 4. */
  scaleProduct(from: number, to: number, out: number, factor: number, exponent: number): void;
  /**
   * Rows `from` to `to` of out: zeros, plus each row of `updates` whose index that is, in the order of the indices;
   * others are ignored.
   */
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
  /**
   * a where the condition is not 0, else b, each with step 0 (one value for all) or 1: the elements `from` (a multiple
   * of 16) to `to`.
   */
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
  /**
   * Softmax of scale·x along the rows `from` to `to` of `width`. Rows come in matrices of `height`: with `causal`, row
   * r of each sees the first r + 1 values, and the probability of the others is 0.
   */
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
  /** scale·y·(dy − Σ y·dy) along the rows `from` to `to` of `width`: the gradient of softmax at its result y. */
  softmaxGradient(from: number, to: number, y: number, dy: number, out: number, width: number, scale: number): void;
  /**
   * Sums of the columns of [rows, width] by parts: part of `partRows` rows, then band of 512 columns. Part p's float64
   * total of a column goes to `totals` at [p, columns counted in sixteens].
   */
  sumColumnParts(
    from: number,
    to: number,
    x: number,
    totals: number,
    rows: number,
    width: number,
    partRows: number,
  ): void;
  /** The float64 sums `from` to `to` of parts of rows: row, then part of `partWidth` values, `parts` a row. */
  sumRowParts(
    from: number,
    to: number,
    x: number,
    totals: number,
    width: number,
    partWidth: number,
    parts: number,
  ): void;
  /** out[r] = Σ over a row of `width` values, for the rows `from` to `to`. */
  sumRows(from: number, to: number, x: number, out: number, width: number): void;
  /**
   * Sums over the middle one of the axes [any, `terms`, `inner`], for the outer indices `from` to `to`: sixteen columns
   * at a time, whose totals stand in the workspace.
   */
  sumSlabs(from: number, to: number, x: number, out: number, terms: number, inner: number): void;
  /**
   * Turns matrices round: `rows` × `columns` with contiguous columns and rows `sourceStride` apart, to contiguous rows
   * with columns `targetStride` apart, over two outer axes of extents e (the first is not needed). `from` to `to` count
   * strips of 32 rows.
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
  /** A `UnaryOperation` of the elements `from` (a multiple of 16) to `to`. */
  unary(from: number, to: number, operation: number, x: number, out: number): void;
  /** α·x + β·y of the elements `from` (a multiple of 16) to `to`. Products are rounded: it has the bits of `binary`. */
  weightedSum(from: number, to: number, x: number, y: number, out: number, alpha: number, beta: number): void;
}

/** What sets the module up. */
export interface WasmSetUp {
  /** First byte after the module's own memory. */
  firstFree(): number;
  /** Gives this thread its workspace, on a cache line. */
  initialize(base: number): void;
  /** Bytes that `initialize` takes for one thread. */
  workspaceBytes(): number;
}

/** The arguments of each kernel after its range, by name. */
export interface WasmArguments {
  readonly adamwUpdate: {
    readonly weights: number;
    readonly first: number;
    readonly second: number;
    readonly gradient: number;
    readonly outWeights: number;
    readonly outFirst: number;
    readonly outSecond: number;
    readonly beta1: number;
    readonly rest1: number;
    readonly beta2: number;
    readonly rest2: number;
    readonly rate: number;
    readonly secondScale: number;
    readonly epsilon: number;
    readonly kept: number;
  };
  readonly addParts: {
    readonly totals: number;
    readonly out: number;
    readonly parts: number;
    readonly partStride: number;
    readonly stride: number;
  };
  readonly argMaxRows: {
    readonly x: number;
    readonly out: number;
    readonly width: number;
    readonly integers: boolean;
  };
  readonly binary: {
    readonly operation: number;
    readonly a: number;
    readonly b: number;
    readonly out: number;
    readonly width: number;
    readonly e1: number;
    readonly e2: number;
    readonly a0: number;
    readonly a1: number;
    readonly a2: number;
    readonly stepA: number;
    readonly b0: number;
    readonly b1: number;
    readonly b2: number;
    readonly stepB: number;
  };
  readonly blockMatmul: {
    readonly settings: number;
    readonly out: number;
    readonly m: number;
    readonly terms: number;
    readonly n: number;
    readonly partRows: number;
    readonly partColumns: number;
  };
  readonly codedAttention: {
    readonly query: number;
    readonly codes: number;
    readonly out: number;
    readonly heads: number;
    readonly keys: number;
    readonly width: number;
    readonly size: number;
    readonly kind: number;
    readonly mantissaBits: number;
    readonly emin: number;
    readonly scale: number;
  };
  readonly copyRows: {
    readonly source: number;
    readonly target: number;
    readonly length: number;
    readonly step: number;
    readonly e1: number;
    readonly e2: number;
    readonly s0: number;
    readonly s1: number;
    readonly s2: number;
    readonly t0: number;
    readonly t1: number;
    readonly t2: number;
  };
  readonly crossEntropy: {
    readonly logits: number;
    readonly labels: number;
    readonly out: number;
    readonly classes: number;
  };
  readonly crossEntropyGradient: {
    readonly logits: number;
    readonly labels: number;
    readonly dy: number;
    readonly out: number;
    readonly classes: number;
  };
  readonly decodeBlocks: {
    readonly table: number;
    readonly vectors: number;
    readonly words: number;
  };
  readonly decodeOperand: {
    readonly codes: number;
    readonly scales: number;
    readonly out: number;
    readonly terms: number;
    readonly blockSize: number;
    readonly wide: boolean;
    readonly floatScales: boolean;
    readonly unit: number;
    readonly tensorScale: number;
  };
  readonly decodePackedRows: {
    readonly kind: number;
    readonly codes: number;
    readonly scales: number;
    readonly tables: number;
    readonly shift: number;
    readonly chunks: number;
    readonly indices: number;
    readonly out: number;
    readonly rows: number;
    readonly terms: number;
  };
  readonly decodeRows: {
    readonly codes: number;
    readonly out: number;
    readonly width: number;
    readonly size: number;
    readonly kind: number;
    readonly mantissaBits: number;
    readonly emin: number;
  };
  readonly encodeBlocks: {
    readonly table: number;
    readonly vectors: number;
    readonly words: number;
    readonly stochastic: boolean;
  };
  readonly encodeRows: {
    readonly x: number;
    readonly codes: number;
    readonly width: number;
    readonly size: number;
    readonly kind: number;
    readonly mantissaBits: number;
    readonly emin: number;
    readonly emax: number;
  };
  readonly gatherRows: {
    readonly x: number;
    readonly indices: number;
    readonly out: number;
    readonly rows: number;
    readonly width: number;
    readonly integers: boolean;
  };
  readonly geluExact: {
    readonly x: number;
    readonly out: number;
  };
  readonly geluExactGradient: {
    readonly x: number;
    readonly dy: number;
    readonly out: number;
  };
  readonly geluTanh: {
    readonly x: number;
    readonly out: number;
  };
  readonly geluTanhGradient: {
    readonly x: number;
    readonly dy: number;
    readonly out: number;
  };
  readonly layerNorm: {
    readonly x: number;
    readonly gain: number;
    readonly bias: number;
    readonly out: number;
    readonly width: number;
    readonly epsilon: number;
  };
  readonly layerNormGradient: {
    readonly x: number;
    readonly gain: number;
    readonly dy: number;
    readonly out: number;
    readonly totals: number;
    readonly scratch: number;
    readonly rows: number;
    readonly width: number;
    readonly epsilon: number;
  };
  readonly lmdDraw: {
    readonly logPlus: number;
    readonly logMinus: number;
    readonly out: number;
    readonly noise: number;
    readonly stream: number;
    readonly step: number;
    readonly sample: number;
    readonly seedLow: number;
    readonly seedHigh: number;
  };
  readonly lmdUpdate: {
    readonly logPlus: number;
    readonly logMinus: number;
    readonly momentumPlus: number;
    readonly momentumMinus: number;
    readonly outLogPlus: number;
    readonly outLogMinus: number;
    readonly outMomentumPlus: number;
    readonly outMomentumMinus: number;
    readonly table: number;
    readonly samples: number;
    readonly share: number;
    readonly noise: number;
    readonly learningRate: number;
    readonly beta1: number;
    readonly rest1: number;
    readonly beta2: number;
    readonly rest2: number;
    readonly regularization: number;
    readonly regularizer: number;
    readonly logPriorMedian: number;
    readonly useSign: boolean;
  };
  readonly matmul: {
    readonly a: number;
    readonly b: number;
    readonly out: number;
    readonly m: number;
    readonly k: number;
    readonly n: number;
    readonly transposeA: boolean;
    readonly transposeB: boolean;
    readonly strideA: number;
    readonly strideB: number;
    readonly partRows: number;
    readonly partColumns: number;
  };
  readonly maxRows: {
    readonly x: number;
    readonly out: number;
    readonly width: number;
  };
  readonly maxSlabs: {
    readonly x: number;
    readonly out: number;
    readonly terms: number;
    readonly inner: number;
  };
  readonly packedRowProducts: {
    readonly kind: number;
    readonly codes: number;
    readonly scales: number;
    readonly tables: number;
    readonly shift: number;
    readonly chunks: number;
    readonly x: number;
    readonly out: number;
    readonly m: number;
    readonly n: number;
  };
  readonly random: {
    readonly kind: number;
    readonly target: number;
    readonly stream: number;
    readonly step: number;
    readonly sample: number;
    readonly seedLow: number;
    readonly seedHigh: number;
  };
  readonly scaleProduct: {
    readonly out: number;
    readonly factor: number;
    readonly exponent: number;
  };
  readonly scatterAddRows: {
    readonly indices: number;
    readonly updates: number;
    readonly out: number;
    readonly count: number;
    readonly width: number;
    readonly integers: boolean;
  };
  readonly select: {
    readonly condition: number;
    readonly stepCondition: number;
    readonly a: number;
    readonly stepA: number;
    readonly b: number;
    readonly stepB: number;
    readonly out: number;
  };
  readonly softmax: {
    readonly x: number;
    readonly out: number;
    readonly width: number;
    readonly height: number;
    readonly scale: number;
    readonly causal: boolean;
  };
  readonly softmaxGradient: {
    readonly y: number;
    readonly dy: number;
    readonly out: number;
    readonly width: number;
    readonly scale: number;
  };
  readonly sumColumnParts: {
    readonly x: number;
    readonly totals: number;
    readonly rows: number;
    readonly width: number;
    readonly partRows: number;
  };
  readonly sumRowParts: {
    readonly x: number;
    readonly totals: number;
    readonly width: number;
    readonly partWidth: number;
    readonly parts: number;
  };
  readonly sumRows: {
    readonly x: number;
    readonly out: number;
    readonly width: number;
  };
  readonly sumSlabs: {
    readonly x: number;
    readonly out: number;
    readonly terms: number;
    readonly inner: number;
  };
  readonly turnMatrices: {
    readonly source: number;
    readonly target: number;
    readonly rows: number;
    readonly columns: number;
    readonly sourceStride: number;
    readonly targetStride: number;
    readonly e1: number;
    readonly s0: number;
    readonly s1: number;
    readonly t0: number;
    readonly t1: number;
  };
  readonly unary: {
    readonly operation: number;
    readonly x: number;
    readonly out: number;
  };
  readonly weightedSum: {
    readonly x: number;
    readonly y: number;
    readonly out: number;
    readonly alpha: number;
    readonly beta: number;
  };
}

/** Puts the arguments of each kernel in the order in which it takes them, as numbers. */
export const wasmOrder: {
  readonly [Name in keyof WasmArguments]: (named: WasmArguments[Name]) => number[];
} = {
  adamwUpdate: ({
    weights, first, second, gradient, outWeights, outFirst, outSecond, beta1, rest1, beta2, rest2, rate, secondScale,
    epsilon, kept,
  }) =>
    [
      weights, first, second, gradient, outWeights, outFirst, outSecond, beta1, rest1, beta2, rest2, rate, secondScale,
      epsilon, kept,
    ],
  addParts: ({ totals, out, parts, partStride, stride }) => [totals, out, parts, partStride, stride],
  argMaxRows: ({ x, out, width, integers }) => [x, out, width, Number(integers)],
  binary: ({ operation, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB }) =>
    [operation, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB],
  blockMatmul: ({ settings, out, m, terms, n, partRows, partColumns }) =>
    [settings, out, m, terms, n, partRows, partColumns],
  codedAttention: ({ query, codes, out, heads, keys, width, size, kind, mantissaBits, emin, scale }) =>
    [query, codes, out, heads, keys, width, size, kind, mantissaBits, emin, scale],
  copyRows: ({ source, target, length, step, e1, e2, s0, s1, s2, t0, t1, t2 }) =>
    [source, target, length, step, e1, e2, s0, s1, s2, t0, t1, t2],
  crossEntropy: ({ logits, labels, out, classes }) => [logits, labels, out, classes],
  crossEntropyGradient: ({ logits, labels, dy, out, classes }) => [logits, labels, dy, out, classes],
  decodeBlocks: ({ table, vectors, words }) => [table, vectors, words],
  decodeOperand: ({ codes, scales, out, terms, blockSize, wide, floatScales, unit, tensorScale }) =>
    [codes, scales, out, terms, blockSize, Number(wide), Number(floatScales), unit, tensorScale],
  decodePackedRows: ({ kind, codes, scales, tables, shift, chunks, indices, out, rows, terms }) =>
    [kind, codes, scales, tables, shift, chunks, indices, out, rows, terms],
  decodeRows: ({ codes, out, width, size, kind, mantissaBits, emin }) =>
    [codes, out, width, size, kind, mantissaBits, emin],
  encodeBlocks: ({ table, vectors, words, stochastic }) => [table, vectors, words, Number(stochastic)],
  encodeRows: ({ x, codes, width, size, kind, mantissaBits, emin, emax }) =>
    [x, codes, width, size, kind, mantissaBits, emin, emax],
  gatherRows: ({ x, indices, out, rows, width, integers }) => [x, indices, out, rows, width, Number(integers)],
  geluExact: ({ x, out }) => [x, out],
  geluExactGradient: ({ x, dy, out }) => [x, dy, out],
  geluTanh: ({ x, out }) => [x, out],
  geluTanhGradient: ({ x, dy, out }) => [x, dy, out],
  layerNorm: ({ x, gain, bias, out, width, epsilon }) => [x, gain, bias, out, width, epsilon],
  layerNormGradient: ({ x, gain, dy, out, totals, scratch, rows, width, epsilon }) =>
    [x, gain, dy, out, totals, scratch, rows, width, epsilon],
  lmdDraw: ({ logPlus, logMinus, out, noise, stream, step, sample, seedLow, seedHigh }) =>
    [logPlus, logMinus, out, noise, stream, step, sample, seedLow, seedHigh],
  lmdUpdate: ({
    logPlus, logMinus, momentumPlus, momentumMinus, outLogPlus, outLogMinus, outMomentumPlus, outMomentumMinus, table,
    samples, share, noise, learningRate, beta1, rest1, beta2, rest2, regularization, regularizer, logPriorMedian,
    useSign,
  }) =>
    [
      logPlus, logMinus, momentumPlus, momentumMinus, outLogPlus, outLogMinus, outMomentumPlus, outMomentumMinus, table,
      samples, share, noise, learningRate, beta1, rest1, beta2, rest2, regularization, regularizer, logPriorMedian,
      Number(useSign),
    ],
  matmul: ({ a, b, out, m, k, n, transposeA, transposeB, strideA, strideB, partRows, partColumns }) =>
    [a, b, out, m, k, n, Number(transposeA), Number(transposeB), strideA, strideB, partRows, partColumns],
  maxRows: ({ x, out, width }) => [x, out, width],
  maxSlabs: ({ x, out, terms, inner }) => [x, out, terms, inner],
  packedRowProducts: ({ kind, codes, scales, tables, shift, chunks, x, out, m, n }) =>
    [kind, codes, scales, tables, shift, chunks, x, out, m, n],
  random: ({ kind, target, stream, step, sample, seedLow, seedHigh }) =>
    [kind, target, stream, step, sample, seedLow, seedHigh],
  scaleProduct: ({ out, factor, exponent }) => [out, factor, exponent],
  scatterAddRows: ({ indices, updates, out, count, width, integers }) =>
    [indices, updates, out, count, width, Number(integers)],
  select: ({ condition, stepCondition, a, stepA, b, stepB, out }) =>
    [condition, stepCondition, a, stepA, b, stepB, out],
  softmax: ({ x, out, width, height, scale, causal }) => [x, out, width, height, scale, Number(causal)],
  softmaxGradient: ({ y, dy, out, width, scale }) => [y, dy, out, width, scale],
  sumColumnParts: ({ x, totals, rows, width, partRows }) => [x, totals, rows, width, partRows],
  sumRowParts: ({ x, totals, width, partWidth, parts }) => [x, totals, width, partWidth, parts],
  sumRows: ({ x, out, width }) => [x, out, width],
  sumSlabs: ({ x, out, terms, inner }) => [x, out, terms, inner],
  turnMatrices: ({ source, target, rows, columns, sourceStride, targetStride, e1, s0, s1, t0, t1 }) =>
    [source, target, rows, columns, sourceStride, targetStride, e1, s0, s1, t0, t1],
  unary: ({ operation, x, out }) => [operation, x, out],
  weightedSum: ({ x, y, out, alpha, beta }) => [x, y, out, alpha, beta],
};
