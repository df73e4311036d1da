import { type FusedKernelName, LmdError, type Operations, type Tensor } from '@lmd/core';
import type { Recorder } from '../recorder.js';

type Fused = Pick<Operations, FusedKernelName & keyof Operations>;

/**
 * The fused kernels, with core's gradient kernels; and the rounding operations, which have no gradient.
 */
export function fused(recorder: Recorder): Fused {
  const { ops, record } = recorder;

  const refuseTracked = (operation: string, x: Tensor): void => {
    if (!recorder.isTracked(x)) return;
    throw new LmdError('UNSUPPORTED', `${operation} has no gradient: it is piecewise constant.`, {
      subject: operation,
      value: x.shape,
      remedy: 'Wrap it in customGradient and define the gradient, for example dy (straight-through).',
    });
  };

  return {
    softmax(x) {
      const y = ops.softmax(x);
      return record('softmax', [x], y, [{ saves: [y], gradient: (dy) => ops.softmaxGradient(y, dy) }]);
    },
    layerNorm: (x, gain, bias, epsilon) =>
      record('layerNorm', [x, gain, bias], ops.layerNorm(x, gain, bias, epsilon), {
        saves: [x, gain],
        gradients: (dy) => {
          const gradients = ops.layerNormGradient(x, gain, dy, epsilon);
          return [gradients.x, gradients.gain, gradients.bias];
        },
      }),
    gelu: (x, approximation) =>
      record('gelu', [x], ops.gelu(x, approximation), [
        { saves: [x], gradient: (dy) => ops.geluGradient(x, dy, approximation) },
      ]),
    crossEntropy: (logits, labels) =>
      record('crossEntropy', [logits, labels], ops.crossEntropy(logits, labels), [
        { saves: [logits, labels], gradient: (dy) => ops.crossEntropyGradient(logits, labels, dy) },
        null,
      ]),
    attention: (query, key, value, options) =>
      record('attention', [query, key, value], ops.attention(query, key, value, options), {
        saves: [query, key, value],
        gradients: (dy) => {
          const gradients = ops.attentionGradient(query, key, value, dy, options);
          return [gradients.query, gradients.key, gradients.value];
        },
      }),
    fakeQuantize(x, options) {
      refuseTracked('fakeQuantize', x);
      return recorder.untracked([x], ops.fakeQuantize(x, options));
    },
    roundToBfloat16(x) {
      refuseTracked('roundToBfloat16', x);
      return recorder.untracked([x], ops.roundToBfloat16(x));
    },
    encodeOperand(x, options) {
      refuseTracked('encodeOperand', x);
      const operand = ops.encodeOperand(x, options);
      for (const part of Object.values(operand.tensors)) recorder.untracked([x], part);
      return operand;
    },
    decodeOperand: (operand) => recorder.untracked(Object.values(operand.tensors), ops.decodeOperand(operand)),
    blockMatmul: (a, b) =>
      recorder.untracked([...Object.values(a.tensors), ...Object.values(b.tensors)], ops.blockMatmul(a, b)),
    packMatrix(source) {
      const matrix = ops.packMatrix(source);
      for (const part of Object.values(matrix.tensors)) recorder.untracked([], part);
      return matrix;
    },
    packedMatmul(x, matrix) {
      refuseTracked('packedMatmul', x);
      return recorder.untracked([x, ...Object.values(matrix.tensors)], ops.packedMatmul(x, matrix));
    },
    packedRows: (matrix, indices) =>
      recorder.untracked([...Object.values(matrix.tensors), indices], ops.packedRows(matrix, indices)),
    decodeMatrix: (matrix) => recorder.untracked(Object.values(matrix.tensors), ops.decodeMatrix(matrix)),
    encodeRows(x, format) {
      refuseTracked('encodeRows', x);
      const rows = ops.encodeRows(x, format);
      for (const part of Object.values(rows.tensors)) recorder.untracked([x], part);
      return rows;
    },
    decodeRows: (rows) => recorder.untracked(Object.values(rows.tensors), ops.decodeRows(rows)),
    codedAttention(query, rows, scale) {
      refuseTracked('codedAttention', query);
      return recorder.untracked([query, ...Object.values(rows.tensors)], ops.codedAttention(query, rows, scale));
    },
  };
}
