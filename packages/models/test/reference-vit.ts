import type { ResolvedVitConfig } from '../src/index.js';

type Vector = number[];
type Matrix = Vector[];
export type Arrays = { readonly [name: string]: { readonly shape: readonly number[]; readonly values: Float64Array } };

/**
 * The Vision Transformer once more, for one image at a time, in loops over plain arrays: written from the papers and
 * from nothing in `src`, so that a mistake there shows.
 */
export function referenceVit(config: ResolvedVitConfig, weights: Arrays, image: Float64Array): Vector {
  const matrix = (name: string): Matrix => {
    const { shape, values } = weights[name]!;
    const [rows, columns] = shape as [number, number];
    return Array.from({ length: rows }, (_, r) => [...values.subarray(r * columns, (r + 1) * columns)]);
  };
  const vector = (name: string): Vector => [...weights[name]!.values];
  const linear = (x: Matrix, name: string): Matrix => {
    const w = matrix(`${name}.weight`);
    const bias = vector(`${name}.bias`);
    return x.map((row) => bias.map((b, out) => row.reduce((sum, value, i) => sum + value * w[i]![out]!, b)));
  };
  const norm = (x: Matrix, name: string): Matrix => {
    const [gain, bias] = [vector(`${name}.gain`), vector(`${name}.bias`)];
    return x.map((row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      return row.map(
        (value, i) => ((value - mean) / Math.sqrt(variance + config.layerNormEpsilon)) * gain[i]! + bias[i]!,
      );
    });
  };
  const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, r) => row.map((value, c) => value + b[r]![c]!));

  const attention = (x: Matrix, name: string): Matrix => {
    const headWidth = config.width / config.heads;
    const qkv = linear(x, `${name}.qkv`);
    const mixed = x.map(() => new Array<number>(config.width).fill(0));
    for (let head = 0; head < config.heads; head++) {
      const part = (which: number, token: number, i: number) =>
        qkv[token]![which * config.width + head * headWidth + i]!;
      x.forEach((_, query) => {
        const scores = x.map((__, key) => {
          let dot = 0;
          for (let i = 0; i < headWidth; i++) dot += part(0, query, i) * part(1, key, i);
          return Math.exp(dot / Math.sqrt(headWidth));
        });
        const total = scores.reduce((sum, score) => sum + score, 0);
        scores.forEach((score, key) => {
          for (let i = 0; i < headWidth; i++) {
            mixed[query]![head * headWidth + i]! += (score / total) * part(2, key, i);
          }
        });
      });
    }
    return linear(mixed, `${name}.projection`);
  };

  const side = config.imageSize / config.patchSize;
  const patches: Matrix = [];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const patch: Vector = [];
      for (let y = 0; y < config.patchSize; y++) {
        for (let x = 0; x < config.patchSize; x++) {
          for (let channel = 0; channel < config.channels; channel++) {
            const [atY, atX] = [row * config.patchSize + y, column * config.patchSize + x];
            patch.push(image[(atY * config.imageSize + atX) * config.channels + channel]!);
          }
        }
      }
      patches.push(patch);
    }
  }

  let x = linear(patches, 'patchEmbedding');
  if (config.pooling === 'classToken') x = [vector('classToken'), ...x];
  x = plus(x, matrix('positionEmbedding'));
  for (let block = 0; block < config.depth; block++) {
    const name = `blocks.${block}`;
    x = plus(x, attention(norm(x, `${name}.norm1`), `${name}.attention`));
    const hidden = linear(norm(x, `${name}.norm2`), `${name}.mlp.up`).map((row) =>
      row.map(config.gelu === 'tanh' ? geluTanh : geluExact),
    );
    x = plus(x, linear(hidden, `${name}.mlp.down`));
  }
  const normed = norm(x, 'norm');
  const pooled =
    config.pooling === 'classToken'
      ? normed[0]!
      : normed[0]!.map((_, i) => normed.reduce((sum, row) => sum + row[i]!, 0) / normed.length);
  return linear([pooled], 'head')[0]!;
}

function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** x·Φ(x), with Φ by the series Φ(x) = 1/2 + φ(x)·(x + x³/3 + x⁵/(3·5) + …), which converges for every x. */
function geluExact(x: number): number {
  let term = x;
  let sum = x;
  for (let i = 3; Math.abs(term) > 1e-18 * Math.abs(sum); i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return x * (0.5 + (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum);
}
