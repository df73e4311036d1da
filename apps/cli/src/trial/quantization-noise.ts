import type { Vit } from '@lmd/models';
import type { Json, Plugin } from '@lmd/training';
import { measureProducts } from './product-noise.js';

export interface QuantizationNoiseOptions {
  /** Number of steps between measurements. The last step is measured too. */
  readonly every: number;
  readonly model: Vit;
  /**
   * The first is the training format. If it is a block format, it alone is measured, otherwise all other block formats.
   */
  readonly formats: readonly string[];
}

/** Number of validation images to measure. */
const images = 64;

const isBlockFormat = (format: string) => format !== 'fp32' && format !== 'bf16';

/**
 * Reports the quantization noise of each quantized product of a ViT, at the evaluation weights: signal-to-noise ratio
 * in dB, fraction of clipped blocks, and kurtosis of both operands (`measureProducts`). Costs a forward pass on 64
 * validation images, and a second computation of each product on the host.
 */
export function quantizationNoise({ every, model, formats }: QuantizationNoiseOptions): Plugin {
  const [format, ...others] = formats as readonly [string, ...string[]];
  const measured = isBlockFormat(format) ? [format] : others.filter(isBlockFormat);
  return {
    name: 'quantizationNoise',
    async settle({ step }, run) {
      if (measured.length === 0 || (step % every !== 0 && step !== run.totalSteps)) return;
      const { ops, data } = run;
      const { validation } = data;
      const indices = Int32Array.from({ length: Math.min(images, validation!.size) }, (_, index) => index);
      const { inputs } = await validation!.batch(indices);
      const weights = run.evaluationWeights();
      const x = ops.fromData(inputs.data, inputs.shape);
      try {
        const { depth } = model.config;
        const products = await measureProducts({ ops, model, weights, images: x, format, measured, depth });
        const plugin = 'quantizationNoise';
        await run.announce({ type: 'report', step, plugin, data: { products } as unknown as Json });
      } finally {
        ops.dispose([x, ...Object.values(weights)]);
      }
    },
  };
}
