import type { AttentionOptions } from '@lmd/core';
import { result, type Values } from '../values.js';
import { type SoftmaxRow, softmaxRow } from './softmax.js';

interface Head {
  readonly length: number;
  readonly keys: number;
  readonly width: number;
  readonly valueWidth: number;
  readonly query: Float64Array;
  readonly key: Float64Array;
  readonly value: Float64Array;
}

function headOf(query: Values, key: Values, value: Values, head: number): Head {
  const [length, width] = query.shape.slice(-2) as [number, number];
  const [keys] = key.shape.slice(-2) as [number, number];
  const valueWidth = value.shape[3]!;
  return {
    length,
    keys,
    width,
    valueWidth,
    query: query.data.slice(head * length * width, (head + 1) * length * width),
    key: key.data.slice(head * keys * width, (head + 1) * keys * width),
    value: value.data.slice(head * keys * valueWidth, (head + 1) * keys * valueWidth),
  };
}

/** softmax of scale·q·kᵀ for one query; a masked key has score −Infinity. */
function probabilitiesOf(head: Head, i: number, { scale, causal }: AttentionOptions): SoftmaxRow {
  const scores = new Float64Array(head.keys);
  const sizes = new Float64Array(head.keys);
  for (let j = 0; j < head.keys; j++) {
    for (let c = 0; c < head.width; c++) {
      const product = scale * head.query[i * head.width + c]! * head.key[j * head.width + c]!;
      scores[j]! += product;
      sizes[j]! += Math.abs(product);
    }
    if (causal && j > i) scores[j] = -Infinity;
  }
  return softmaxRow(scores, sizes);
}

/** softmax(scale·Q·Kᵀ, masked) · V (Vaswani et al., arXiv:1706.03762, equation 1). */
export function attention(query: Values, key: Values, value: Values, options: AttentionOptions): Values {
  const [batch, heads, length] = query.shape as [number, number, number, number];
  const valueWidth = value.shape[3]!;
  const data = new Float64Array(batch * heads * length * valueWidth);
  const magnitudes = new Float64Array(data.length);
  for (let h = 0; h < batch * heads; h++) {
    const head = headOf(query, key, value, h);
    for (let i = 0; i < length; i++) {
      const row = probabilitiesOf(head, i, options);
      for (let c = 0; c < valueWidth; c++) {
        const at = (h * length + i) * valueWidth + c;
        for (let j = 0; j < head.keys; j++) {
          data[at]! += row.probabilities[j]! * head.value[j * valueWidth + c]!;
          magnitudes[at]! += row.magnitudes[j]! * Math.abs(head.value[j * valueWidth + c]!);
        }
      }
    }
  }
  const terms = query.shape[3]! + key.shape[2]!;
  return result([batch, heads, length, valueWidth], data, magnitudes, terms);
}

/** With P the probabilities and dP = dy·Vᵀ: dS = P·(dP − Σ P·dP); dQ = scale·dS·K; dK = scale·dSᵀ·Q; dV = Pᵀ·dy. */
export function attentionGradient(
  query: Values,
  key: Values,
  value: Values,
  dy: Values,
  options: AttentionOptions,
): [Values, Values, Values] {
  const [batch, heads, length, width] = query.shape as [number, number, number, number];
  const keys = key.shape[2]!;
  const valueWidth = value.shape[3]!;
  const zeros = (x: Values) => [new Float64Array(x.data.length), new Float64Array(x.data.length)] as const;
  const [dQuery, queryMagnitudes] = zeros(query);
  const [dKey, keyMagnitudes] = zeros(key);
  const [dValue, valueMagnitudes] = zeros(value);
  for (let h = 0; h < batch * heads; h++) {
    const head = headOf(query, key, value, h);
    for (let i = 0; i < length; i++) {
      const row = probabilitiesOf(head, i, options);
      const dP = new Float64Array(keys);
      const dPSizes = new Float64Array(keys);
      for (let j = 0; j < keys; j++) {
        for (let c = 0; c < valueWidth; c++) {
          const incoming = dy.data[(h * length + i) * valueWidth + c]!;
          const at = (h * keys + j) * valueWidth + c;
          dP[j]! += incoming * value.data[at]!;
          dPSizes[j]! += Math.abs(incoming * value.data[at]!);
          dValue[at]! += row.probabilities[j]! * incoming;
          valueMagnitudes[at]! += row.magnitudes[j]! * Math.abs(incoming);
        }
      }
      const mean = dP.reduce((total, d, j) => total + d * row.probabilities[j]!, 0);
      const size = dPSizes.reduce((total, d, j) => total + d * row.magnitudes[j]!, 0);
      for (let j = 0; j < keys; j++) {
        const dS = options.scale * row.probabilities[j]! * (dP[j]! - mean);
        const dSSize = Math.abs(options.scale) * row.magnitudes[j]! * (dPSizes[j]! + size);
        for (let c = 0; c < width; c++) {
          const q = (h * length + i) * width + c;
          const k = (h * keys + j) * width + c;
          dQuery[q]! += dS * key.data[k]!;
          queryMagnitudes[q]! += dSSize * Math.abs(key.data[k]!);
          dKey[k]! += dS * query.data[q]!;
          keyMagnitudes[k]! += dSSize * Math.abs(query.data[q]!);
        }
      }
    }
  }
  const terms = width + valueWidth + length + keys;
  return [
    result(query.shape, dQuery, queryMagnitudes, terms),
    result(key.shape, dKey, keyMagnitudes, terms),
    result(value.shape, dValue, valueMagnitudes, terms),
  ];
}
