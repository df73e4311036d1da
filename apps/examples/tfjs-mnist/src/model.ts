import { type LayerPrecision, mxConv2d, mxDense } from '@lmd/tfjs';
import { initializers, layers, type Sequential, sequential } from '@tensorflow/tfjs-layers';

/**
 * Two convolutions of 5 × 5, each followed by max pooling, and a dense layer: 6,490 weights. With `fp32` the layers are
 * `tf.layers.conv2d` and `tf.layers.dense`; a format rounds the operands of all three products.
 */
export function convolutionalNetwork(precision: LayerPrecision, seed: number): Sequential {
  let layer = 0;
  const kernelInitializer = () => initializers.varianceScaling({ seed: 1000 * seed + layer++ });
  const convolution = { kernelSize: 5, activation: 'relu' as const, precision };
  return sequential({
    layers: [
      mxConv2d({
        ...convolution,
        name: 'conv1',
        filters: 8,
        inputShape: [28, 28, 1],
        kernelInitializer: kernelInitializer(),
      }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      mxConv2d({ ...convolution, name: 'conv2', filters: 16, kernelInitializer: kernelInitializer() }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.flatten(),
      mxDense({ name: 'classes', units: 10, activation: 'softmax', precision, kernelInitializer: kernelInitializer() }),
    ],
  });
}
