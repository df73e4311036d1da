/**
 * The maximum error of an f32 result relative to the float64 reference, for every operation, in one table.
 *
 * The unit is u = 2^-24 (half an ulp of 1, the relative error of one correct rounding) times the *magnitude* of the
 * terms of the element: the reference returns the magnitude and the number of terms n. Therefore the bound of `add` is
 * strict even if its operands cancel, and a sum near zero need not be accurate in ulps of the result, which no
 * summation order can reach. Constants are chosen for the least accurate arithmetic allowed, that of WGSL (section
 * "Floating Point Evaluation"), not for that of current backends.
 */
export interface Bound {
  /**
   * `identical`: the same bits, all NaNs alike. `exact`: equal numbers, either zero. `units`: within
   * `units(n)·u·magnitude`.
   */
  readonly kind: 'identical' | 'exact' | 'units';
  readonly units?: (terms: number) => number;
  readonly reason: string;
}

const identical = (reason: string): Bound => ({ kind: 'identical', reason });
const exact = (reason: string): Bound => ({ kind: 'exact', reason });
const units = (count: number | ((terms: number) => number), reason: string): Bound => ({
  kind: 'units',
  units: typeof count === 'number' ? () => count : count,
  reason,
});

export const bounds = {
  copy: identical('values are moved without computation'),
  integer: identical('32-bit integers are exact'),
  blockCodes: identical('every step is exact or rounded once: divisions by powers of two, roots, comparisons'),
  blockProduct: identical('sums of integers, and one rounding a block, in a fixed order'),
  truth: identical('a comparison has one correct result'),
  extremum: exact('the result is one of the operands'),
  sign: exact('−1, 0 or 1'),
  round: exact('an integer that f32 can represent'),
  arithmetic: exact('+, − and × are rounded correctly by IEEE 754 and by WGSL'),
  divide: units(5, 'WGSL allows 2.5 ulp'),
  sqrt: units(5, 'WGSL: 1 / inverseSqrt, 2 ulp and a division'),
  exp: units(6, 'relative error 3 + 2|x| ulp in WGSL; the magnitude is y·(1 + |x|)'),
  log: units(8, 'WGSL: 3 ulp, and 2^-21 absolute in [½, 2]; the magnitude is at least 1 there'),
  tanh: units(8, 'from exp, with one subtraction and one division'),
  erf: units(
    8,
    'absolute, on a scale of 1: it is used as 1 + erf(x), and the usual polynomials (7.1.26 of Abramowitz and ' +
      'Stegun) are absolute too',
  ),
  sum: units((n) => n, 'n − 1 roundings in any order (Higham, Accuracy and Stability, section 4.2), times Σ|x|'),
  mean: units((n) => n + 6, 'a sum and a division'),
  matmul: units((n) => n + 1, 'n products and n − 1 additions in any order, fused or not, times Σ|a||b|'),
  decodedCode: units(2, 'a 4-bit scale times the tensor scale times an element; the reference rounds at other points'),
  packedMatmul: units((n) => n + 4, 'as matmul, and up to three more roundings if scales are not powers of two'),
  softmax: units((n) => n + 24, 'a subtraction, two exponentials, a sum of n and a division'),
  softmaxGradient: units((n) => n + 6, 'a sum of n products, a subtraction and a product'),
  layerNorm: units((n) => 2 * n + 16, 'two means of n, a root, a division and an affine map'),
  layerNormGradient: units((n) => 2 * n + 24, 'layerNorm again, and two more means of n'),
  gelu: units(16, 'erf or tanh on the scale of 1, times x/2'),
  geluGradient: units(32, 'as gelu, and exp or 1 − tanh²'),
  crossEntropy: units((n) => n + 16, 'an exponential sum of n, its logarithm and two subtractions'),
  crossEntropyGradient: units((n) => n + 32, 'softmax and a product'),
  attention: units((n) => n + 32, 'two products and a softmax: the sum of their bounds'),
  attentionGradient: units((n) => 2 * n + 48, 'five products and a softmax: the sum of their bounds'),
  normal: units(16, 'Box–Muller: logarithm, root, and a cosine whose argument reaches 2π'),
  lmdDraw: units(24, 'two normals, two exponentials and a subtraction'),
  lmdUpdate: units(
    (n) => 24 + 4 * n,
    'the samples again, their products with the gradients, and an update of a few terms',
  ),
  adamwUpdate: units(24, 'two averages, two corrections, a root and a division'),
  gradient: units(
    256,
    'a chain of the above against float64 finite differences, on the scale of the largest gradient: 1.5e-5 of it',
  ),
} as const satisfies Record<string, Bound>;

export type BoundName = keyof typeof bounds;
