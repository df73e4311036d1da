import type { GraphBuilder } from './graph-builder.js';

/** What the layers of ViT and GPT-2 share. */
export interface BlockSizes {
  readonly width: number;
  readonly heads: number;
  readonly gelu: 'none' | 'tanh';
  readonly layerNormEpsilon: number;
}

/** Keys and values of earlier positions, and the names of those of all positions. */
export interface CachedAttention {
  readonly past: { readonly key: string; readonly value: string };
  readonly present: { readonly key: string; readonly value: string };
}

export interface AttentionContext {
  /** True where a query attends to a key, broadcast to [batch, heads, queries, keys]. Default everywhere. */
  readonly mask?: string;
  readonly cache?: CachedAttention;
}

/** The most negative f32: after the softmax 0, and no NaN where a query attends to nothing. */
const lowest = -3.4028234663852886e38;

export function layerNorm(g: GraphBuilder, x: string, name: string, epsilon: number): string {
  const inputs = [x, g.weight(`${name}.gain`), g.weight(`${name}.bias`)];
  return g.node('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

export function linear(g: GraphBuilder, x: string, name: string): string {
  const product = g.node('MatMul', [x, g.weight(`${name}.weight`)]);
  return g.node('Add', [product, g.weight(`${name}.bias`)]);
}

/** A pre-norm block: x + attention(norm1(x)), then + mlp(norm2(·)). */
export function block(
  g: GraphBuilder,
  x: string,
  name: string,
  sizes: BlockSizes,
  context: AttentionContext = {},
): string {
  const attended = g.within(`${name}.attention`, () => {
    const normalized = layerNorm(g, x, `${name}.norm1`, sizes.layerNormEpsilon);
    return g.node('Add', [x, attention(g, normalized, `${name}.attention`, sizes, context)]);
  });
  return g.within(`${name}.mlp`, () => {
    const normalized = layerNorm(g, attended, `${name}.norm2`, sizes.layerNormEpsilon);
    const hidden = gelu(g, linear(g, normalized, `${name}.mlp.up`), sizes.gelu);
    return g.node('Add', [attended, linear(g, hidden, `${name}.mlp.down`)]);
  });
}

function attention(
  g: GraphBuilder,
  x: string,
  name: string,
  { width, heads }: BlockSizes,
  { mask, cache }: AttentionContext,
): string {
  const headWidth = width / heads;
  const split = g.node('Reshape', [linear(g, x, `${name}.qkv`), g.integers([0, 0, 3 * heads, headWidth])]);
  // [batch, 3 · heads, length, head width]
  const turned = g.node('Transpose', [split], { perm: [0, 2, 1, 3] });
  const parts = g.nodes('Split', [turned, g.integers([heads, heads, heads])], { axis: 1 }, 3);
  const [query, ownKey, ownValue] = parts as [string, string, string];
  const joined = (own: string, which: 'key' | 'value') =>
    cache === undefined ? own : g.node('Concat', [cache.past[which], own], { axis: 2 }, cache.present[which]);
  const [key, value] = [joined(ownKey, 'key'), joined(ownValue, 'value')];
  const scaled = g.node('Mul', [query, g.real(1 / Math.sqrt(headWidth))]);
  const scores = g.node('MatMul', [scaled, g.node('Transpose', [key], { perm: [0, 1, 3, 2] })]);
  const masked = mask === undefined ? scores : g.node('Where', [mask, scores, g.real(lowest)]);
  const mixed = g.node('MatMul', [g.node('Softmax', [masked], { axis: -1 }), value]);
  const merged = g.node('Reshape', [g.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }), g.integers([0, 0, width])]);
  return linear(g, merged, `${name}.projection`);
}

/** GELU, which ONNX has as one operator only since opset 20; onnxruntime fuses these nodes. */
function gelu(g: GraphBuilder, x: string, approximation: 'none' | 'tanh'): string {
  const inner = approximation === 'none' ? erf(g, x) : tanh(g, x);
  return g.node('Mul', [g.node('Mul', [x, g.node('Add', [inner, g.real(1)])]), g.real(0.5)]);
}

const erf = (g: GraphBuilder, x: string) => g.node('Erf', [g.node('Div', [x, g.real(Math.SQRT2)])]);

function tanh(g: GraphBuilder, x: string): string {
  const cube = g.node('Mul', [g.node('Mul', [x, x]), x]);
  const sum = g.node('Add', [x, g.node('Mul', [cube, g.real(0.044715)])]);
  return g.node('Tanh', [g.node('Mul', [sum, g.real(Math.sqrt(2 / Math.PI))])]);
}
