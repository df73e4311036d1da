import type {
  BlockProductKernels,
  CodedRowKernels,
  FloatTensor,
  FusedKernels,
  LmdTensors,
  PackedMatrixKernels,
  Tensor,
} from '@lmd/core';
import { fakeQuantize, roundToBfloat16 } from '@lmd/mx-formats';
import { adamwUpdate } from '../host-kernels/adamw.js';
import { crossEntropy, crossEntropyGradient } from '../host-kernels/cross-entropy.js';
import { gelu, geluGradient } from '../host-kernels/gelu.js';
import { layerNorm, layerNormGradient } from '../host-kernels/layer-norm.js';
import { lmdDraw, lmdUpdate } from '../host-kernels/lmd.js';
import { softmax, softmaxGradient } from '../host-kernels/softmax.js';
import type { Host } from './host.js';

/** Fused kernels as loops of our own over the backend's memory: nothing is copied in or out. */
export function hostFused(
  host: Host,
): Omit<
  FusedKernels,
  | ('attention' | 'attentionGradient' | 'weightedSum' | 'encodeBlocks' | 'decodeBlocks')
  | keyof BlockProductKernels
  | keyof PackedMatrixKernels
  | keyof CodedRowKernels
> {
  const { floats, integers } = host;
  const like = (x: Tensor) => host.allocate(x.shape, 'f32');
  const widthOf = (x: Tensor) => x.shape.at(-1)!;

  return {
    softmax(x) {
      const out = like(x);
      softmax(floats(x), widthOf(x), floats(out));
      return out;
    },
    softmaxGradient(y, dy) {
      const out = like(y);
      softmaxGradient(floats(y), floats(dy), widthOf(y), floats(out));
      return out;
    },
    layerNorm(x, gain, bias, epsilon) {
      const out = like(x);
      layerNorm(floats(x), floats(gain), floats(bias), epsilon, floats(out));
      return out;
    },
    layerNormGradient(x, gain, dy, epsilon) {
      const gradients = { x: like(x), gain: like(gain), bias: like(gain) };
      layerNormGradient(
        floats(x),
        floats(gain),
        floats(dy),
        epsilon,
        floats(gradients.x),
        floats(gradients.gain),
        floats(gradients.bias),
      );
      return gradients;
    },
    gelu(x, approximation) {
      const out = like(x);
      gelu(floats(x), approximation, floats(out));
      return out;
    },
    geluGradient(x, dy, approximation) {
      const out = like(x);
      geluGradient(floats(x), floats(dy), approximation, floats(out));
      return out;
    },
    crossEntropy(logits, labels) {
      const out = host.allocate(labels.shape, 'f32');
      crossEntropy(floats(logits), integers(labels), widthOf(logits), floats(out));
      return out;
    },
    crossEntropyGradient(logits, labels, dy) {
      const out = like(logits);
      crossEntropyGradient(floats(logits), integers(labels), floats(dy), widthOf(logits), floats(out));
      return out;
    },
    fakeQuantize(x, options) {
      const out = like(x);
      fakeQuantize(floats(x), { ...options, shape: x.shape }, floats(out));
      return out;
    },
    roundToBfloat16(x) {
      const out = like(x);
      roundToBfloat16(floats(x), floats(out));
      return out;
    },
    lmdDraw(logPlus, logMinus, noise, key) {
      const out = like(logPlus);
      lmdDraw(floats(logPlus), floats(logMinus), noise, key, floats(out));
      return out;
    },
    lmdUpdate(state, gradients, keys, logPriorMedian, options) {
      const out: LmdTensors<FloatTensor> = {
        logPlus: like(state.logPlus),
        logMinus: like(state.logMinus),
        momentumPlus: like(state.momentumPlus),
        ...(state.momentumMinus === undefined ? {} : { momentumMinus: like(state.momentumMinus) }),
      };
      const arrays = ({ logPlus, logMinus, momentumPlus, momentumMinus }: LmdTensors) => ({
        logPlus: floats(logPlus),
        logMinus: floats(logMinus),
        momentumPlus: floats(momentumPlus),
        ...(momentumMinus === undefined ? {} : { momentumMinus: floats(momentumMinus) }),
      });
      const prior = floats(logPriorMedian)[0]!;
      lmdUpdate(arrays(state), gradients.map(floats), keys, prior, options, arrays(out));
      return out;
    },
    adamwUpdate(state, gradient, options) {
      const out = {
        weights: like(state.weights),
        firstMoment: like(state.firstMoment),
        secondMoment: like(state.secondMoment),
      };
      const arrays = ({ weights, firstMoment, secondMoment }: typeof out) => ({
        weights: floats(weights),
        firstMoment: floats(firstMoment),
        secondMoment: floats(secondMoment),
      });
      adamwUpdate(arrays(state as typeof out), floats(gradient), options, arrays(out));
      return out;
    },
  };
}
