export interface ConvolutionOptions {
  readonly strides: readonly [number, number];
  readonly padding: 'valid' | 'same';
  readonly dilations: readonly [number, number];
  /** Whether to use loops on the engine's memory instead of its operations. Default: if possible. */
  readonly onHost?: boolean;
}

/** Sizes that follow from the shapes and options. */
export interface ConvolutionPlan {
  readonly outShape: [number, number, number, number];
  /** Zeros before and after each of the two spatial axes. */
  readonly before: readonly [number, number];
  readonly paddedSize: readonly [number, number];
  readonly after: readonly [number, number];
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Of the contraction. */
  readonly length: number;
  readonly rows: number;
}

export function planConvolution(
  [batch, height, width, channels]: readonly [number, number, number, number],
  [kernelHeight, kernelWidth, , filters]: readonly [number, number, number, number],
  { strides, padding, dilations }: ConvolutionOptions,
): ConvolutionPlan {
  const plan = (size: number, kernel: number, stride: number, dilation: number) => {
    const reach = (kernel - 1) * dilation + 1;
    const out = padding === 'same' ? Math.ceil(size / stride) : Math.max(0, Math.floor((size - reach) / stride) + 1);
    const total = padding === 'same' ? Math.max(0, (out - 1) * stride + reach - size) : 0;
    const before = Math.floor(total / 2);
    return { out, before, after: total - before, padded: size + total };
  };
  const vertical = plan(height, kernelHeight, strides[0], dilations[0]);
  const horizontal = plan(width, kernelWidth, strides[1], dilations[1]);
  return {
    outShape: [batch, vertical.out, horizontal.out, filters],
    before: [vertical.before, horizontal.before],
    after: [vertical.after, horizontal.after],
    paddedSize: [vertical.padded, horizontal.padded],
    kernelSize: [kernelHeight, kernelWidth],
    strides,
    dilations,
    length: kernelHeight * kernelWidth * channels,
    rows: batch * vertical.out * horizontal.out,
  };
}
