import type { ResolvedGpt2Config } from '../src/index.js';
import type { Arrays } from './reference-vit.js';

type Vector = number[];
type Matrix = Vector[];

/**
 * GPT-2 once more, for one sequence, in loops over plain arrays: written from the papers and from nothing in `src`, so
 * that a mistake there shows. Gives the logits of each position.
 */
export function referenceGpt2(config: ResolvedGpt2Config, weights: Arrays, tokens: readonly number[]): Matrix {
  const matrix = (name: string): Matrix => {
    const { shape, values } = weights[name]!;
    const [rows, columns] = shape as [number, number];
    return Array.from({ length: rows }, (_, r) => [...values.subarray(r * columns, (r + 1) * columns)]);
  };
  const vector = (name: string): Vector => [...weights[name]!.values];
  const linear = (x: Matrix, name: string): Matrix => {
    const w = matrix(`${name}.weight`);
    return x.map((row) =>
      vector(`${name}.bias`).map((b, out) => row.reduce((sum, value, i) => sum + value * w[i]![out]!, b)),
    );
  };
  const norm = (x: Matrix, name: string): Matrix => {
    const [gain, bias] = [vector(`${name}.gain`), vector(`${name}.bias`)];
    return x.map((row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      return row.map((v, i) => ((v - mean) / Math.sqrt(variance + config.layerNormEpsilon)) * gain[i]! + bias[i]!);
    });
  };
  const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, r) => row.map((value, c) => value + b[r]![c]!));
  const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

  const attention = (x: Matrix, name: string): Matrix => {
    const headWidth = config.width / config.heads;
    const qkv = linear(x, `${name}.qkv`);
    const mixed = x.map((_, position) => {
      const out: Vector = [];
      for (let head = 0; head < config.heads; head++) {
        const part = (which: number, at: number): Vector => {
          const from = which * config.width + head * headWidth;
          return qkv[at]!.slice(from, from + headWidth);
        };
        const past = Array.from({ length: position + 1 }, (__, at) => at);
        const scores = past.map((at) => Math.exp(dot(part(0, position), part(1, at)) / Math.sqrt(headWidth)));
        const total = scores.reduce((sum, score) => sum + score, 0);
        for (let i = 0; i < headWidth; i++) {
          out.push(past.reduce((sum, at) => sum + (scores[at]! / total) * part(2, at)[i]!, 0));
        }
      }
      return out;
    });
    return linear(mixed, `${name}.projection`);
  };

  const [embedding, positions] = [matrix('tokenEmbedding.weight'), matrix('positionEmbedding')];
  let x = tokens.map((token, at) => embedding[token]!.map((value, i) => value + positions[at]![i]!));
  for (let block = 0; block < config.depth; block++) {
    const name = `blocks.${block}`;
    x = plus(x, attention(norm(x, `${name}.norm1`), `${name}.attention`));
    const hidden = linear(norm(x, `${name}.norm2`), `${name}.mlp.up`).map((row) => row.map(gelu));
    x = plus(x, linear(hidden, `${name}.mlp.down`));
  }
  return norm(x, 'norm').map((row) => embedding.map((token) => dot(row, token)));
}
