/** What `assembly/index.ts` exports. Addresses are bytes in the backend's memory, sizes and strides are elements. */
export interface Kernels {
  /** The first byte of memory that the module does not use itself. */
  firstFree(): number;
  unary(operation: number, x: number, out: number, count: number): void;
  binary(
    operation: number,
    a: number,
    b: number,
    out: number,
    rows: number,
    width: number,
    strideA: number,
    stepA: number,
    strideB: number,
    stepB: number,
  ): void;
  matmul(
    a: number,
    b: number,
    out: number,
    batch: number,
    m: number,
    k: number,
    n: number,
    transposeA: boolean,
    transposeB: boolean,
    strideA: number,
    strideB: number,
  ): void;
  geluExact(x: number, out: number, count: number): void;
  geluExactGradient(x: number, dy: number, out: number, count: number): void;
  geluTanh(x: number, out: number, count: number): void;
  geluTanhGradient(x: number, dy: number, out: number, count: number): void;
  layerNorm(x: number, gain: number, bias: number, out: number, rows: number, width: number, epsilon: number): void;
  layerNormGradient(
    x: number,
    gain: number,
    dy: number,
    out: number,
    gainGradient: number,
    biasGradient: number,
    scratch: number,
    rows: number,
    width: number,
    epsilon: number,
  ): void;
  softmax(x: number, out: number, rows: number, width: number, height: number, scale: number, causal: boolean): void;
  softmaxGradient(y: number, dy: number, out: number, rows: number, width: number, scale: number): void;
  random(
    kind: number,
    target: number,
    count: number,
    stream: number,
    step: number,
    sample: number,
    seedLow: number,
    seedHigh: number,
  ): void;
  lmdDraw(
    logPlus: number,
    logMinus: number,
    out: number,
    count: number,
    noise: number,
    stream: number,
    step: number,
    sample: number,
    seedLow: number,
    seedHigh: number,
  ): void;
  lmdUpdate(
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
    count: number,
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
    weights: number,
    first: number,
    second: number,
    gradient: number,
    outWeights: number,
    outFirst: number,
    outSecond: number,
    count: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    rate: number,
    secondScale: number,
    epsilon: number,
    kept: number,
  ): void;
  copyRows(
    source: number,
    target: number,
    length: number,
    e0: number,
    e1: number,
    e2: number,
    s0: number,
    s1: number,
    s2: number,
    t0: number,
    t1: number,
    t2: number,
  ): void;
  turnMatrices(
    source: number,
    target: number,
    rows: number,
    columns: number,
    sourceStride: number,
    targetStride: number,
    e0: number,
    e1: number,
    s0: number,
    s1: number,
    t0: number,
    t1: number,
  ): void;
  sumRows(x: number, out: number, rows: number, width: number): void;
  sumColumns(x: number, out: number, rows: number, width: number): void;
}
