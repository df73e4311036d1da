import type { Precision } from '@lmd/core';
import { precisionPreset } from '@lmd/models';

/** The format in the forward products and BF16 in the backward ones, for `fp32` too: formats then differ in the forward pass alone. */
export function studyPrecision(format: string): Precision {
  if (format !== 'fp32') return precisionPreset(format);
  return {
    forward: { weights: 'f32', activations: 'f32' },
    backward: { weights: 'bf16', activations: 'bf16', gradients: 'bf16' },
  };
}
