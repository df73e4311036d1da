import { result, type Values } from '../values.js';
import { rowsOf } from './layout.js';

interface NormalizedRow {
  readonly normalized: Float64Array;
  /** Of the normalized values: cancellation in x − mean is in proportion to the mean size of x. */
  readonly magnitudes: Float64Array;
  readonly inverseDeviation: number;
  /** 1 + (mean size of x) / deviation: the condition of the inverse deviation itself. */
  readonly condition: number;
}

const meanOf = (values: Float64Array) => values.reduce((total, value) => total + value, 0) / values.length;

function normalizeRow(x: Float64Array, epsilon: number): NormalizedRow {
  const mean = meanOf(x);
  const size = meanOf(x.map(Math.abs));
  const centred = x.map((value) => value - mean);
  const inverseDeviation = 1 / Math.sqrt(meanOf(centred.map((value) => value * value)) + epsilon);
  const condition = 1 + size * inverseDeviation;
  return {
    normalized: centred.map((value) => value * inverseDeviation),
    magnitudes: centred.map((value) => (size + Math.abs(value) * condition) * inverseDeviation),
    inverseDeviation,
    condition,
  };
}

/** (x − mean) / √(biased variance + epsilon) · gain + bias along the last axis. */
export function layerNorm(x: Values, gain: Values, bias: Values, epsilon: number): Values {
  const { rows, width } = rowsOf(x.shape);
  const data = new Float64Array(x.data.length);
  const magnitudes = new Float64Array(x.data.length);
  for (let row = 0; row < rows; row++) {
    const one = normalizeRow(x.data.slice(row * width, (row + 1) * width), epsilon);
    for (let i = 0; i < width; i++) {
      data[row * width + i] = one.normalized[i]! * gain.data[i]! + bias.data[i]!;
      magnitudes[row * width + i] = one.magnitudes[i]! * Math.abs(gain.data[i]!) + Math.abs(bias.data[i]!);
    }
  }
  return result(x.shape, data, magnitudes, width);
}

/**
 * With n the normalized x and g = dy·gain: dx = (g − mean g − n·mean(g·n)) / deviation; dgain = Σ dy·n; dbias = Σ dy.
 */
export function layerNormGradient(x: Values, gain: Values, dy: Values, epsilon: number): [Values, Values, Values] {
  const { rows, width } = rowsOf(x.shape);
  const dx = new Float64Array(x.data.length);
  const dxMagnitudes = new Float64Array(x.data.length);
  const sums = Array.from({ length: 4 }, () => new Float64Array(width));
  const [dGain, dGainMagnitudes, dBias, dBiasMagnitudes] = sums as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let row = 0; row < rows; row++) {
    const { normalized, magnitudes, inverseDeviation, condition } = normalizeRow(
      x.data.slice(row * width, (row + 1) * width),
      epsilon,
    );
    const own = dy.data.slice(row * width, (row + 1) * width);
    const g = own.map((value, i) => value * gain.data[i]!);
    const meanG = meanOf(g);
    const meanGN = meanOf(g.map((value, i) => value * normalized[i]!));
    const sizeG = meanOf(g.map(Math.abs));
    const larger = normalized.map((value, i) => Math.abs(value) + magnitudes[i]!);
    const sizeGN = meanOf(g.map((value, i) => Math.abs(value) * larger[i]!));
    for (let i = 0; i < width; i++) {
      dx[row * width + i] = (g[i]! - meanG - normalized[i]! * meanGN) * inverseDeviation;
      dxMagnitudes[row * width + i] = (Math.abs(g[i]!) + sizeG + larger[i]! * sizeGN) * inverseDeviation * condition;
      dGain[i]! += own[i]! * normalized[i]!;
      dGainMagnitudes[i]! += Math.abs(own[i]!) * larger[i]!;
      dBias[i]! += own[i]!;
      dBiasMagnitudes[i]! += Math.abs(own[i]!);
    }
  }
  return [
    result(x.shape, dx, dxMagnitudes, width),
    result(gain.shape, dGain, dGainMagnitudes, width + rows),
    result(gain.shape, dBias, dBiasMagnitudes, rows),
  ];
}
