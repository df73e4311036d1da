import { compositions } from '../compositions/index.js';
import type { AttentionOptions, GeluApproximation } from '../fused-kernels.js';
import type { EagerOperations } from '../operations.js';
import { type FloatTensor, sizeOf, type Tensor } from '../tensor.js';
import {
  type Check,
  type Context,
  checkChoice,
  checkFinite,
  checkFlag,
  checkOptions,
  floats,
  integers,
} from './context.js';
import { formatShape, type Shape, sameShape, shapeMismatch } from './shapes.js';

export type LayerOperations = Pick<
  EagerOperations,
  | 'softmax'
  | 'softmaxGradient'
  | 'layerNorm'
  | 'layerNormGradient'
  | 'gelu'
  | 'geluGradient'
  | 'crossEntropy'
  | 'crossEntropyGradient'
  | 'attention'
  | 'attentionGradient'
>;

const defaultEpsilon = 1e-5;

/**
 * The layers' kernels: the backend's own where it has one, else the composition. Tensors without elements reach
 * neither.
 */
export function layerOperations(context: Context, operations: () => EagerOperations): LayerOperations {
  const { backend, constant, track, alias } = context;
  const check: Check = context.check;
  const { fused } = backend;

  function checkSame(name: string, x: Tensor, dy: Tensor): void {
    if (!sameShape(x.shape, dy.shape)) {
      throw shapeMismatch(name, `${formatShape(x.shape)} and dy ${formatShape(dy.shape)} differ.`, [x.shape, dy.shape]);
    }
  }

  const empty = (x: Tensor): boolean => sizeOf(x.shape) === 0;
  const zeros = (name: string, shape: Shape): Tensor => constant(name, shape, 0, 'f32');

  function checkRows(name: string, x: Tensor): asserts x is FloatTensor {
    check(name, x, floats);
    if (x.shape.length === 0) throw shapeMismatch(name, 'a scalar has no last axis.', x.shape);
  }

  function checkWidth(name: string, role: string, x: Tensor, vector: Tensor): asserts vector is FloatTensor {
    check(name, vector, floats);
    if (vector.shape.length === 1 && vector.shape[0] === x.shape[x.shape.length - 1]) return;
    throw shapeMismatch(
      name,
      `${role} ${formatShape(vector.shape)} does not fit the last axis of ${formatShape(x.shape)}.`,
      [x.shape, vector.shape],
    );
  }

  function checkGelu(name: string, x: Tensor, approximation: GeluApproximation): asserts x is FloatTensor {
    check(name, x, floats);
    checkChoice(name, 'approximation', approximation, ['none', 'tanh']);
  }

  function checkLabels(name: string, logits: Tensor, labels: Tensor): void {
    const fits = logits.shape.length === 2 && labels.shape.length === 1 && logits.shape[0] === labels.shape[0];
    if (fits && (logits.shape[1]! > 0 || logits.shape[0] === 0)) return;
    throw shapeMismatch(
      name,
      `logits ${formatShape(logits.shape)} and labels ${formatShape(labels.shape)}; they must be [rows, classes] and [rows].`,
      [logits.shape, labels.shape],
    );
  }

  /** Checks the shapes of the operands, and gives that of the result. */
  function attentionShape(name: string, query: Tensor, key: Tensor, value: Tensor): Shape {
    const [q, k, v] = [query.shape, key.shape, value.shape];
    const fits =
      q.length === 4 &&
      k.length === 4 &&
      v.length === 4 &&
      q[0] === k[0] &&
      q[1] === k[1] &&
      q[3] === k[3] &&
      k[0] === v[0] &&
      k[1] === v[1] &&
      k[2] === v[2] &&
      (k[2]! > 0 || empty(query));
    if (fits) return [q[0]!, q[1]!, q[2]!, v[3]!];
    throw shapeMismatch(
      name,
      `query ${formatShape(q)}, key ${formatShape(k)}, value ${formatShape(v)} do not fit.`,
      [q, k, v],
      'They must be [batch, heads, queries, width], [batch, heads, keys, width], [batch, heads, keys, any].',
    );
  }

  function attentionOptions(name: string, query: Tensor, options: Partial<AttentionOptions>): AttentionOptions {
    checkOptions(name, options, ['scale', 'causal']);
    const { scale = 1 / Math.sqrt(query.shape[3]!), causal = false } = options;
    checkFinite(name, 'scale', scale);
    checkFlag(name, 'causal', causal);
    return { scale, causal };
  }

  return {
    softmax(x) {
      checkRows('softmax', x);
      if (empty(x)) return alias('softmax', x);
      return fused.softmax ? track('softmax', fused.softmax(x)) : compositions.softmax(operations(), x);
    },

    softmaxGradient(y, dy) {
      const name = 'softmaxGradient';
      checkRows(name, y);
      check(name, dy, floats);
      checkSame(name, y, dy);
      if (empty(y)) return alias(name, y);
      return fused.softmaxGradient
        ? track(name, fused.softmaxGradient(y, dy))
        : compositions.softmaxGradient(operations(), y, dy);
    },

    layerNorm(x, gain, bias, epsilon = defaultEpsilon) {
      checkRows('layerNorm', x);
      checkWidth('layerNorm', 'gain', x, gain);
      checkFinite('layerNorm', 'epsilon', epsilon, 0);
      checkWidth('layerNorm', 'bias', x, bias);
      if (empty(x)) return alias('layerNorm', x);
      return fused.layerNorm
        ? track('layerNorm', fused.layerNorm(x, gain, bias, epsilon))
        : compositions.layerNorm(operations(), x, gain, bias, epsilon);
    },

    layerNormGradient(x, gain, dy, epsilon = defaultEpsilon) {
      const name = 'layerNormGradient';
      checkRows(name, x);
      checkWidth(name, 'gain', x, gain);
      checkFinite(name, 'epsilon', epsilon, 0);
      check(name, dy, floats);
      checkSame(name, x, dy);
      if (empty(x)) {
        return { x: zeros(name, x.shape), gain: zeros(name, gain.shape), bias: zeros(name, gain.shape) };
      }
      if (!fused.layerNormGradient) return compositions.layerNormGradient(operations(), x, gain, dy, epsilon);
      const gradients = fused.layerNormGradient(x, gain, dy, epsilon);
      for (const gradient of [gradients.x, gradients.gain, gradients.bias]) track(name, gradient);
      return gradients;
    },

    gelu(x, approximation = 'none') {
      checkGelu('gelu', x, approximation);
      if (empty(x)) return alias('gelu', x);
      return fused.gelu
        ? track('gelu', fused.gelu(x, approximation))
        : compositions.gelu(operations(), x, approximation);
    },

    geluGradient(x, dy, approximation = 'none') {
      const name = 'geluGradient';
      checkGelu(name, x, approximation);
      check(name, dy, floats);
      checkSame(name, x, dy);
      if (empty(x)) return alias(name, x);
      return fused.geluGradient
        ? track(name, fused.geluGradient(x, dy, approximation))
        : compositions.geluGradient(operations(), x, dy, approximation);
    },

    crossEntropy(logits, labels) {
      const name = 'crossEntropy';
      check(name, logits, floats);
      check(name, labels, integers);
      checkLabels(name, logits, labels);
      if (empty(logits)) return zeros(name, labels.shape);
      return fused.crossEntropy
        ? track(name, fused.crossEntropy(logits, labels))
        : compositions.crossEntropy(operations(), logits, labels);
    },

    crossEntropyGradient(logits, labels, dy) {
      const name = 'crossEntropyGradient';
      check(name, logits, floats);
      check(name, labels, integers);
      checkLabels(name, logits, labels);
      check(name, dy, floats);
      checkSame(name, labels, dy);
      if (empty(logits)) return alias(name, logits);
      return fused.crossEntropyGradient
        ? track(name, fused.crossEntropyGradient(logits, labels, dy))
        : compositions.crossEntropyGradient(operations(), logits, labels, dy);
    },

    attention(query, key, value, options = {}) {
      const name = 'attention';
      check(name, query, floats);
      check(name, key, floats);
      check(name, value, floats);
      const shape = attentionShape(name, query, key, value);
      const resolved = attentionOptions(name, query, options);
      if (sizeOf(shape) === 0) return zeros(name, shape);
      return fused.attention
        ? track(name, fused.attention(query, key, value, resolved))
        : compositions.attention(operations(), query, key, value, resolved);
    },

    attentionGradient(query, key, value, dy, options = {}) {
      const name = 'attentionGradient';
      check(name, query, floats);
      check(name, key, floats);
      check(name, value, floats);
      const shape = attentionShape(name, query, key, value);
      const resolved = attentionOptions(name, query, options);
      check(name, dy, floats);
      if (!sameShape(dy.shape, shape)) {
        throw shapeMismatch(name, `dy is ${formatShape(dy.shape)}, the result ${formatShape(shape)}.`, dy.shape);
      }
      if (empty(dy)) {
        return { query: zeros(name, query.shape), key: zeros(name, key.shape), value: zeros(name, value.shape) };
      }
      if (!fused.attentionGradient) {
        return compositions.attentionGradient(operations(), query, key, value, dy, resolved);
      }
      const gradients = fused.attentionGradient(query, key, value, dy, resolved);
      for (const gradient of [gradients.query, gradients.key, gradients.value]) track(name, gradient);
      return gradients;
    },
  };
}
