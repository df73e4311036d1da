/**
 * WGSL that kernels share. WGSL promises neither NaN nor infinities nor subnormals in float arithmetic (section
 * "Floating Point Evaluation"), so special values are told apart by their bits, and functions are made from +, −, × and
 * ÷ alone, whose errors are bounded on every device.
 */

/** Threads of a workgroup in kernels over elements. */
export const threads = 256;

/** A `main` that runs `body` once for each `i` below `params.count`. */
export function perElement(body: string): string {
  return `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * ${threads}u + lane;
  if (i >= params.count) { return; }
  ${body}
}`;
}

/**
 * The matrix of a batch, and the first row and column, of the tile of `tile` × `tile` results that a workgroup
 * computes, from `params.rows`, `params.columns` and `params.batch`.
 */
export const tileOfWorkgroup = (tile: number): string => `\
  let row_tiles = (params.rows + ${tile - 1}u) / ${tile}u;
  let column_tiles = (params.columns + ${tile - 1}u) / ${tile}u;
  let index = workgroup.y * workgroups.x + workgroup.x;
  let matrix = index / (row_tiles * column_tiles);
  if (matrix >= params.batch) { return; }
  let a_first = (index / column_tiles % row_tiles) * ${tile}u;
  let b_first = (index % column_tiles) * ${tile}u;
`;

/** Infinities and NaN by their bits. */
export const bitsLibrary = `
const NAN_BITS = 0x7fc00000u;
const INFINITY_BITS = 0x7f800000u;
fn magnitude_bits(x: f32) -> u32 { return bitcast<u32>(x) & 0x7fffffffu; }
fn is_nan(x: f32) -> bool { return magnitude_bits(x) > INFINITY_BITS; }
// Runtime values, since WGSL refuses constants that are not finite.
var<private> nan_bits: u32 = NAN_BITS;
var<private> infinity_bits: u32 = INFINITY_BITS;
fn nan() -> f32 { return bitcast<f32>(nan_bits); }
fn infinity() -> f32 { return bitcast<f32>(infinity_bits); }
`;

/** exp, log, tanh and the error function of f32, each within a few units in the last place. */
export const mathLibrary = `${bitsLibrary}
fn power_of_two(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }

// e^x = 2^n e^r with |r| <= ln 2 / 2 in two parts (Cody and Waite), and the series of e^r.
fn exponential(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x > 88.8) { return infinity(); }
  if (x < -104.0) { return 0.0; }
  let n = round(x * 1.44269504);
  let r = (x - n * 0.693359375) - n * -2.12194440e-4;
  let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.16666667 + r * (4.16666679e-2 + r * (8.33333377e-3 + r * (1.38888892e-3
    + r * 1.98412701e-4))))));
  let half = i32(n) / 2;
  return p * power_of_two(half) * power_of_two(i32(n) - half);
}

// ln(m 2^e) for m in [sqrt(1/2), sqrt(2)), where ln m = 2 artanh((m - 1) / (m + 1)).
fn log_of_parts(m: f32, e: f32) -> f32 {
  let f = (m - 1.0) / (m + 1.0);
  let z = f * f;
  let tail = z * (0.66666667 + z * (0.4 + z * (0.28571429 + z * (0.22222222 + z * 0.18181818))));
  return e * 0.693359375 + (2.0 * f + (f * tail + e * -2.12194440e-4));
}

fn logarithm(x: f32) -> f32 {
  var bits = bitcast<u32>(x);
  if ((bits << 1u) == 0u) { return -infinity(); }
  if (bits >= INFINITY_BITS) {
    if (bits == INFINITY_BITS) { return x; }
    return nan();
  }
  var e = i32(bits >> 23u) - 127;
  if (e == -127) {
    let shift = countLeadingZeros(bits) - 8u;
    bits = bits << shift;
    e = -126 - i32(shift);
  }
  var m = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
  if (m > 1.41421356) { m = m * 0.5; e = e + 1; }
  return log_of_parts(m, f32(e));
}

fn hyperbolic_tangent(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let z = x * x;
  if (abs(x) < 0.3) { return (x * (945.0 + z * (105.0 + z))) / (945.0 + z * (420.0 + z * 15.0)); }
  if (abs(x) > 15.0) { return sign(x); }
  return sign(x) * (1.0 - 2.0 / (exponential(2.0 * abs(x)) + 1.0));
}

// e^(z^2) erfc(z) for z >= 0: the fit of this package's host kernels (error-function.ts).
fn scaled_complement(z: f32) -> f32 {
  let inverse = 1.0 / (z + 2.5);
  let t = 1.0 - 5.0 * inverse;
  let q = t * t;
  let even = 1.0540318146978152 + q * (0.45391452618770367 + q * (0.028356676182617273 + q * (-0.004797361165956104
    + q * (0.0006592908098085104 + q * -0.00007016012931103433))));
  let odd = -0.8046519288279469 + q * (-0.17124948742894378 + q * (0.008383131874000043 + q * (-0.0004139249850145177
    + q * 0.000027007129834260013)));
  return (even + t * odd) * inverse;
}

fn error_function(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let z = x * x;
  if (z < 0.25) {
    return 1.12837917 * x * (1.0 - z * (1.0 / 3.0 - z * (0.1 - z * (1.0 / 42.0 - z * (1.0 / 216.0 - z * (1.0 / 1320.0))))));
  }
  if (abs(x) > 6.0) { return sign(x); }
  return sign(x) * (1.0 - exponential(-z) * scaled_complement(abs(x)));
}
`;

/** Philox4x32-10: see core's `philox.ts`. */
export const philoxLibrary = `
fn multiply_high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu; let a1 = a >> 16u;
  let b0 = b & 0xffffu; let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let cross = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (cross >> 16u);
}

fn philox(stream: u32, step: u32, sample: u32, block: u32, seed_low: u32, seed_high: u32) -> vec4<u32> {
  var c = vec4<u32>(stream, step, sample, block);
  var k = vec2<u32>(seed_low, seed_high);
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiply_high(c.x, 0xd2511f53u);
    let high1 = multiply_high(c.z, 0xcd9e8d57u);
    c = vec4<u32>(high1 ^ c.y ^ k.x, c.z * 0xcd9e8d57u, high0 ^ c.w ^ k.y, c.x * 0xd2511f53u);
    k = k + vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
`;

/** Box–Muller normals of Philox's words: see core's `box-muller.ts`. Needs `mathLibrary` before it. */
export const normalsLibrary = `${philoxLibrary}
fn box_muller(first: u32, second: u32) -> vec2<f32> {
  // Exact: at most 2^24.
  let k = f32((first >> 8u) + 1u);
  var e = i32(bitcast<u32>(k) >> 23u) - 127;
  var m = bitcast<f32>((bitcast<u32>(k) & 0x7fffffu) | 0x3f800000u);
  if (m > 1.41421356) { m = m * 0.5; e = e + 1; }
  let radius = sqrt(max(-2.0 * log_of_parts(m, f32(e - 24)), 0.0));
  // Whole quarter turns and an angle of at most an eighth of a turn either way, told apart in integers.
  let t = second >> 8u;
  let quarter = (t + 0x200000u) >> 22u;
  let a = f32(i32(t) - i32(quarter << 22u)) * 3.74507e-7;
  let z = a * a;
  let sine = a * (1.0 + z * (-0.16666667 + z * (8.3333333e-3 + z * (-1.98412698e-4 + z * 2.75573192e-6))));
  let cosine = 1.0 + z * (-0.5 + z * (4.1666667e-2 + z * (-1.38888889e-3 + z * 2.48015873e-5)));
  let turned = select(vec2<f32>(cosine, sine), vec2<f32>(-sine, cosine), (quarter & 1u) == 1u);
  return radius * select(turned, -turned, (quarter & 2u) == 2u);
}

fn normals(words: vec4<u32>) -> vec4<f32> { return vec4<f32>(box_muller(words.x, words.y), box_muller(words.z, words.w)); }
`.replace('3.74507e-7', (2 * Math.PI * 2 ** -24).toPrecision(12));
