import type { EagerOperations, Model, NamedTensors, Tensor } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { fakeQuantize, formatNamed } from '@lmd/mx-formats';
import { clippedShare, kurtosis } from './block-statistics.js';

/** Quantization noise of one matrix product of the forward pass. */
export interface ProductNoise {
  /** `blocks.0.mlp.up`, `blocks.0.attention.scores`, … */
  readonly product: string;
  /**
   * Kurtosis of the first operand (always activations) and of the second (weights, or activations inside attention). 3
   * for a normal distribution.
   */
  readonly kurtosisFirst: number;
  readonly kurtosisSecond: number;
  readonly formats: {
    readonly [format: string]: {
      /** 10·log10(Σ y² / Σ (y − ŷ)²) of the product y of the unrounded operands and ŷ of the rounded ones, in dB. */
      readonly signalToNoise: number;
      /** Fraction of blocks whose largest value is clipped, of the first and the second operand. */
      readonly clippedFirst: number;
      readonly clippedSecond: number;
    };
  };
}

export interface ProductNoiseOptions {
  readonly ops: EagerOperations;
  readonly model: Model;
  readonly weights: NamedTensors;
  /** Images [examples, height, width, channels]. */
  readonly images: Tensor;
  /** The format that the network runs in. `fp32`: nothing is rounded. */
  readonly format: string;
  /** The block formats to measure. */
  readonly measured: readonly string[];
  readonly depth: number;
}

interface Captured {
  readonly first: Tensor;
  readonly second: Tensor;
  readonly transposeB: boolean;
}

/** The products of a ViT in the order of its forward pass. */
function productNames(depth: number): string[] {
  const blocks = Array.from({ length: depth }, (_, block) =>
    ['attention.qkv', 'attention.scores', 'attention.values', 'attention.projection', 'mlp.up', 'mlp.down'].map(
      (product) => `blocks.${block}.${product}`,
    ),
  );
  return ['patchEmbedding', ...blocks.flat(), 'head'];
}

/**
 * Runs the model once and captures the operands of each quantized product before rounding. For this, `fakeQuantize`
 * records its input, and `matmul` of two rounded tensors records both sources. In `fp32` nothing is rounded, and a
 * block format is requested only so that the model computes the products separately.
 */
function captureProducts({ ops, model, weights, images, format, measured }: ProductNoiseOptions): Captured[] {
  const sources = new Map<Tensor, Tensor>();
  const products: Captured[] = [];
  const rounds = format !== 'fp32';
  const kept = (x: Tensor) => ops.keep(ops.reshape(x, x.shape));
  // Exact products take codes instead of tensors. Without their kernels the model multiplies quantized tensors, which
  // can be recorded.
  const { blockMatmul: _, ...fused } = ops.backend.fused;
  const watching: EagerOperations = {
    ...ops,
    backend: { ...ops.backend, fused },
    fakeQuantize(x, options) {
      const rounded = rounds ? ops.fakeQuantize(x, options) : ops.reshape(x, x.shape);
      sources.set(rounded, kept(x));
      return rounded;
    },
    matmul(a, b, options = {}) {
      const first = sources.get(a);
      const second = sources.get(b);
      if (first !== undefined && second !== undefined) {
        products.push({ first, second, transposeB: options.transposeB === true });
      }
      return ops.matmul(a, b, options);
    },
    // Nothing is differentiated, so nothing is saved for a backward pass.
    customGradient: (inputs, gradient) => gradient.forward(watching, inputs, () => {}),
  };
  const precision = precisionPreset(rounds ? format : measured[0]!);
  ops.scope(() => {
    model.forward(watching, weights, images, { training: false, precision, key: { seed: 0, step: 0, sample: 0 } });
  });
  return products;
}

/** [..., m, k] as rows of k, and [..., k, n] transposed to rows of k: blocks run along k. */
async function rowsAlongContraction(ops: EagerOperations, { first, second, transposeB }: Captured) {
  const transposed = transposeB ? second : ops.keep(ops.transpose(second));
  const values = (await ops.read(first)) as Float32Array;
  const others = (await ops.read(transposed)) as Float32Array;
  if (transposed !== second) ops.dispose(transposed);
  return { first: values, second: others, length: first.shape.at(-1)! };
}

/** Measures every quantized product of one forward pass in the given formats. */
export async function measureProducts(options: ProductNoiseOptions): Promise<ProductNoise[]> {
  const { ops, measured, depth } = options;
  const captured = captureProducts(options);
  const names = productNames(depth);
  try {
    const measures: ProductNoise[] = [];
    for (const [index, product] of captured.entries()) {
      const rows = await rowsAlongContraction(ops, product);
      const formats: Record<string, ProductNoise['formats'][string]> = {};
      for (const name of measured) {
        const format = formatNamed(name);
        formats[name] = {
          signalToNoise: fourDigits(await productSignalToNoise(ops, product, rows, name)),
          clippedFirst: fourDigits(clippedShare(rows.first, rows.length, format)),
          clippedSecond: fourDigits(clippedShare(rows.second, rows.length, format)),
        };
      }
      measures.push({
        product: captured.length === names.length ? names[index]! : `product ${index}`,
        kurtosisFirst: fourDigits(kurtosis(rows.first)),
        kurtosisSecond: fourDigits(kurtosis(rows.second)),
        formats,
      });
    }
    return measures;
  } finally {
    for (const x of new Set(captured.flatMap(({ first, second }) => [first, second]))) ops.dispose(x);
  }
}

async function productSignalToNoise(
  ops: EagerOperations,
  { first, second, transposeB }: Captured,
  rows: { readonly first: Float32Array; readonly second: Float32Array; readonly length: number },
  name: string,
): Promise<number> {
  const format = formatNamed(name);
  const shape = (values: Float32Array) => [values.length / rows.length, rows.length];
  const rounded = (values: Float32Array) => fakeQuantize(values, { format, shape: shape(values), axis: 1 });
  const sums = ops.scope(() => {
    const a = ops.fromData(rounded(rows.first), first.shape);
    const b = ops.fromData(
      rounded(rows.second),
      transposeB ? second.shape : [...second.shape.slice(0, -2), second.shape.at(-1)!, second.shape.at(-2)!],
    );
    const exact = ops.matmul(first, second, { transposeB });
    const error = ops.subtract(ops.matmul(a, b, { transposeB: true }), exact);
    const power = (x: Tensor) => ops.reshape(ops.sum(ops.multiply(x, x)), [1]);
    return ops.concatenate([power(exact), power(error)], 0);
  });
  try {
    const [signal, noise] = (await ops.read(sums)) as unknown as [number, number];
    // Above 200 dB nothing is lost in f32.
    return noise === 0 ? 200 : Math.min(200, 10 * Math.log10(signal / noise));
  } finally {
    ops.dispose(sums);
  }
}

/** More digits would not be significant. */
function fourDigits(value: number): number {
  return Number(value.toPrecision(4));
}
