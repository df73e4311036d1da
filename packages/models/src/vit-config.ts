import { type GeluApproximation, LmdError } from '@lmd/core';

export interface VitConfig {
  /** Height and width of the images, in pixels; a multiple of `patchSize`. */
  readonly imageSize: number;
  readonly channels: number;
  /** Height and width of a patch, in pixels. */
  readonly patchSize: number;
  /** Width of the residual stream; a multiple of `heads`. */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Width of the hidden layer of each MLP. Default 4 · width. */
  readonly mlpWidth?: number;
  readonly classes: number;
  /**
   * What the head sees. `classToken`: the normalised output at a learned token (Dosovitskiy et al. 2021). `mean`: the mean of
   * the normalised outputs at all patches (Beyer, Zhai, Kolesnikov 2022). Default `classToken`.
   */
  readonly pooling?: 'classToken' | 'mean';
  /** `none` (default) is GELU by the error function; `tanh` the approximation. */
  readonly gelu?: GeluApproximation;
  /** Default 1e-6, as in the published models. */
  readonly layerNormEpsilon?: number;
  /**
   * Whether the first and the last product, patch embedding and head, are rounded like all others (default) or stay in f32,
   * as much of the quantization literature has it.
   */
  readonly quantizeEmbeddingAndHead?: boolean;
}

const defaults = {
  pooling: 'classToken',
  gelu: 'none',
  layerNormEpsilon: 1e-6,
  quantizeEmbeddingAndHead: true,
} as const;

const countNames = ['imageSize', 'channels', 'patchSize', 'width', 'depth', 'heads', 'mlpWidth', 'classes'] as const;

const choices = {
  pooling: ['classToken', 'mean'],
  gelu: ['none', 'tanh'],
  quantizeEmbeddingAndHead: [true, false],
} as const;

/** Fills in defaults and refuses what cannot be built. */
export function resolveVitConfig(config: VitConfig): Required<VitConfig> {
  const allowed = [...countNames, ...Object.keys(defaults)];
  for (const name of Object.keys(config)) {
    if (!allowed.includes(name)) {
      throw new LmdError('UNKNOWN_OPTION', `A ViT has no option named "${name}".`, {
        subject: name,
        value: (config as unknown as Record<string, unknown>)[name],
        remedy: `The options are ${allowed.join(', ')}.`,
      });
    }
  }
  const resolved = { ...defaults, mlpWidth: 4 * config.width, ...config };
  for (const name of countNames) {
    const value = resolved[name];
    if (!Number.isSafeInteger(value) || value < 1) invalid(name, value, 'It must be a positive integer.');
  }
  for (const [name, values] of Object.entries(choices)) {
    const value = resolved[name as keyof typeof choices];
    if (!(values as readonly unknown[]).includes(value)) invalid(name, value, `Use one of ${values.join(', ')}.`);
  }
  const { imageSize, patchSize, width, heads, layerNormEpsilon } = resolved;
  if (!(layerNormEpsilon > 0 && layerNormEpsilon < Number.POSITIVE_INFINITY)) {
    invalid('layerNormEpsilon', layerNormEpsilon, 'It must be positive and finite.');
  }
  if (imageSize % patchSize !== 0) invalid('patchSize', patchSize, `It must divide imageSize (${imageSize}).`);
  if (width % heads !== 0) invalid('heads', heads, `It must divide width (${width}).`);
  return resolved;
}

function invalid(subject: string, value: unknown, remedy: string): never {
  throw new LmdError('INVALID_ARGUMENT', `A ViT cannot have ${subject} = ${String(value)}.`, {
    subject,
    value,
    remedy,
  });
}
