import type { serialization, Tensor } from '@tensorflow/tfjs-core';
import { type LayerVariable, layers } from '@tensorflow/tfjs-layers';

export type DenseArgs = Parameters<typeof layers.dense>[0];
export type Conv2DArgs = Parameters<typeof layers.conv2d>[0];

/**
 * What the layers of products have in common, as far as it is used here; fields that tfjs-layers types as private
 * included.
 */
export interface ProductLayer extends layers.Layer {
  readonly kernel: LayerVariable;
  readonly bias: LayerVariable | null;
  readonly activation: { apply(x: Tensor): Tensor } | null;
}

export interface ConvolutionLayer extends ProductLayer {
  readonly strides: [number, number];
  readonly padding: 'valid' | 'same';
  readonly dataFormat: 'channelsFirst' | 'channelsLast';
  readonly dilationRate: [number, number];
}

type LayerClass<Args, Instance> = (new (
  args: Args,
) => Instance) &
  Pick<typeof serialization.Serializable, 'fromConfig'>;

/**
 * tfjs-layers exports the functions that make its layers but not their classes, which build weights, read activations,
 * constraints and regularizers, and store them. A named instance, which takes no number in the naming of unnamed
 * layers, has its class.
 */
export const Dense = layers.dense({ units: 1, name: 'class-of-dense' }).constructor as unknown as LayerClass<
  DenseArgs,
  ProductLayer
>;

export const Conv2D = layers.conv2d({ filters: 1, kernelSize: 1, name: 'class-of-conv2d' })
  .constructor as unknown as LayerClass<Conv2DArgs, ConvolutionLayer>;
