import { scaleWord } from './block-scales.js';
import type { Kernel } from './kernel.js';
import { tileOfWorkgroup } from './wgsl.js';

/** Results of one thread along each axis. */
const perThread = 4;
/** Vectors of four words, 16 codes each, that a tile holds of a row at a time. */
const vectors = 2;
const words = 4 * vectors;
/** Scales times units from 2^-30 to 2^30 keep every term and sum well within the normal numbers. */
const plainExponent = 30;

export type Side = 8 | 16;
type Planes = 1 | 2;

export const tileSide = (side: Side): number => side * perThread;

const made = new Map<string, Kernel>();

/**
 * The product of two encoded operands as `block-products.ts` of core defines it.
 *
 * @param side threads along one side of a workgroup: 16 for large results, 8 where that would leave most threads idle
 */
export function blockMatmulKernel(side: Side, planesA: Planes, planesB: Planes, packedDot: boolean): Kernel {
  const name = `blockMatmul-${tileSide(side)}-${planesA}${planesB}${packedDot ? '-dot4' : ''}`;
  let kernel = made.get(name);
  if (kernel === undefined) {
    kernel = { name, ...makeKernel(side, planesA, planesB, packedDot) };
    made.set(name, kernel);
  }
  return kernel;
}

const sideParameters = (name: 'a' | 'b') =>
  ({
    [`${name}_block_size`]: 'u32',
    [`${name}_block_words`]: 'u32',
    [`${name}_blocks`]: 'u32',
    [`${name}_plane_words`]: 'u32',
    [`${name}_unit`]: 'i32',
    [`${name}_batch_rows`]: 'u32',
  }) as const;

const each = (count: number, body: (i: number) => string, separator = '\n') =>
  Array.from({ length: count }, (_, i) => body(i)).join(separator);

const dotLibrary = (packedDot: boolean) =>
  packedDot
    ? 'fn dot4(x: u32, y: u32) -> i32 { return dot4I8Packed(x, y); }'
    : `
fn bytes_of(word: u32) -> vec4<i32> {
  return bitcast<vec4<i32>>(vec4<u32>(word << 24u, word << 16u, word << 8u, word)) >> vec4<u32>(24u);
}
fn dot4(x: u32, y: u32) -> i32 {
  let z = bytes_of(x) * bytes_of(y);
  return z.x + z.y + z.z + z.w;
}`;

/**
 * Terms and sums on u32 bits: WGSL promises no infinities, NaN or subnormal numbers, and may flush the latter. f32
 * additions themselves are rounded to nearest, ties to even, by every GPU, and stay away here from what is not
 * promised.
 */
const sumLibrary = `
const INFINITY_BITS = 0x7f800000u;
const NAN_BITS = 0x7fc00000u;
const SIGN = 0x80000000u;

/** p·2^exponent, |p| <= 2^24. */
fn term_bits(p: i32, exponent: i32) -> u32 {
  if (p == 0) { return 0u; }
  let bits = bitcast<u32>(f32(p));
  let field = i32((bits >> 23u) & 0xffu) + exponent;
  if (field >= 255) { return (bits & SIGN) | INFINITY_BITS; }
  if (field <= 0) { return 0u; }
  return (bits & 0x807fffffu) | (u32(field) << 23u);
}

/** Half of a number; 0 of those so small that they are nothing beside 2^126. */
fn half_of(bits: u32) -> f32 { return bitcast<f32>(select(0u, bits - 0x800000u, (bits & 0x7fffffffu) >= 0x1000000u)); }

/** y + term where one of them is at least 2^126, infinite or, y alone, NaN. */
fn large_sum(y: u32, term: u32) -> u32 {
  let size = y & 0x7fffffffu;
  if (size > INFINITY_BITS) { return NAN_BITS; }
  if ((term & 0x7fffffffu) == INFINITY_BITS) {
    return select(term, NAN_BITS, size == INFINITY_BITS && y != term);
  }
  if (size == INFINITY_BITS) { return y; }
  let sum = bitcast<u32>(half_of(y) + half_of(term));
  let half_size = sum & 0x7fffffffu;
  if (half_size == 0u) { return 0u; }
  if (half_size >= 0x7f000000u) { return (sum & SIGN) | INFINITY_BITS; }
  return sum + 0x800000u;
}

fn add_term(y: u32, p: i32, exponent: i32) -> u32 {
  let term = term_bits(p, exponent);
  if (max(y & 0x7fffffffu, term & 0x7fffffffu) >= 0x7e800000u) { return large_sum(y, term); }
  let sum = bitcast<u32>(bitcast<f32>(y) + bitcast<f32>(term));
  return select(sum, 0u, (sum & 0x7fffffffu) < 0x800000u);
}

/** A scale's significand, and its exponent together with the unit's. */
struct Scale { significand: i32, exponent: i32 }
fn scale_of(word: u32, unit: i32) -> Scale {
  return Scale(i32(word >> 16u), i32(word & 0xffffu) - ${scaleWord.exponentBias} + unit);
}
fn factor_of(scale: Scale) -> f32 { return f32(scale.significand) * bitcast<f32>(u32(scale.exponent + 127) << 23u); }
`;

/** Reads words of codes, filled up with zeros, from blocks that pair with smaller ones of another operand. */
const wordReader = (name: 'a' | 'b') => `
/** Four codes of a row from \`start\`, of which \`count\` are of the segment. */
fn ${name}_word(plane: u32, row: u32, start: u32, count: u32) -> u32 {
  let within = start % params.${name}_block_size;
  let block = row * params.${name}_blocks + start / params.${name}_block_size;
  let at = plane * params.${name}_plane_words + block * params.${name}_block_words + within / 4u;
  let skipped = within & 3u;
  var word = ${name}_at(at) >> (8u * skipped);
  if (skipped > 0u && count > 4u - skipped) { word |= ${name}_at(at + 1u) << (32u - 8u * skipped); }
  if (count < 4u) { word &= (1u << (8u * count)) - 1u; }
  return word;
}`;

function makeKernel(side: Side, planesA: Planes, planesB: Planes, packedDot: boolean): Omit<Kernel, 'name'> {
  const tile = tileSide(side);
  const lanes = side * side;
  const load = (name: 'a' | 'b', planes: Planes, extent: string) => `
      for (var place = lane; place < ${tile * vectors}u; place += ${lanes}u) {
        let row = ${name}_first + place / ${vectors}u;
        let word = first + place % ${vectors}u * 4u;
        ${each(planes, (plane) => `var ${name}_codes${plane} = vec4<u32>();`, ' ')}
        if (row < params.${extent}) {
          for (var w = 0u; w < 4u; w++) {
            let done = 4u * (word + w);
            if (done >= length) { break; }
            ${each(
              planes,
              (plane) =>
                `${name}_codes${plane}[w] = ${name}_word(${plane}u, ${name}_start + row, segment + done, length - done);`,
            )}
          }
        }
        ${each(planes, (plane) => `${name}_tile${plane}[place % ${vectors}u][place / ${vectors}u] = ${name}_codes${plane};`)}
      }
      if (first == 0u && lane < ${tile}u) {
        // What is beyond the operand has codes of zero, and any scale.
        var word = ${(1 << 16) + scaleWord.exponentBias}u;
        let row = ${name}_first + lane;
        if (row < params.${extent}) {
          word = ${name}_scales_at((${name}_start + row) * params.${name}_blocks + segment / params.${name}_block_size);
        }
        ${name}_words[lane] = word;
        let scale = scale_of(word, params.${name}_unit);
        if (word == ${scaleWord.nan}u || abs(scale.exponent) > ${plainExponent}) { atomicStore(&careful, 1u); }
        else { ${name}_factors[lane] = factor_of(scale); }
      }`;
  const rowOf = (name: string, i: number) => `${name} + ${i * side}u`;
  const planePairs = Array.from(
    { length: planesA * planesB },
    (_, i) => [i % planesA, Math.floor(i / planesA)] as const,
  );
  const dots = (i: number) =>
    each(
      perThread,
      (j) => {
        const products = planePairs.map(([pa, pb]) => {
          const factor = 256 ** (pa + pb);
          return `${factor === 1 ? '' : `${factor} * `}dot16(a${pa}, b${pb}_${j})`;
        });
        return `p${i}[${j}] += ${products.join(' + ')};`;
      },
      ' ',
    );
  return {
    inputs: { a: 'u32', a_scales: 'u32', b: 'u32', b_scales: 'u32' },
    outputs: { out: 'u32' },
    parameters: {
      rows: 'u32',
      columns: 'u32',
      terms: 'u32',
      batch: 'u32',
      size: 'u32',
      ...sideParameters('a'),
      ...sideParameters('b'),
    },
    code: `${dotLibrary(packedDot)}
fn dot16(x: vec4<u32>, y: vec4<u32>) -> i32 { return dot4(x.x, y.x) + dot4(x.y, y.y) + dot4(x.z, y.z) + dot4(x.w, y.w); }
${sumLibrary}${wordReader('a')}${wordReader('b')}
${each(planesA, (plane) => `var<workgroup> a_tile${plane}: array<array<vec4<u32>, ${tile}>, ${vectors}>;`)}
${each(planesB, (plane) => `var<workgroup> b_tile${plane}: array<array<vec4<u32>, ${tile}>, ${vectors}>;`)}
var<workgroup> a_words: array<u32, ${tile}>;
var<workgroup> b_words: array<u32, ${tile}>;
var<workgroup> a_factors: array<f32, ${tile}>;
var<workgroup> b_factors: array<f32, ${tile}>;
/** Whether a scale so far was out of the plain range, so that sums may be what f32 arithmetic is not promised for. */
var<workgroup> careful: atomic<u32>;

@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
${tileOfWorkgroup(tile)}  let a_start = matrix * params.a_batch_rows;
  let b_start = matrix * params.b_batch_rows;
  // A thread's rows and columns are ${side} apart, so that neighbouring threads read neighbouring vectors.
  let y = lane / ${side}u;
  let x = lane % ${side}u;
  ${each(perThread, (i) => `var sum${i} = vec4<u32>();`, ' ')}
  for (var segment = 0u; segment < params.terms; segment += params.size) {
    let length = min(params.size, params.terms - segment);
    let segment_words = (length + 3u) / 4u;
    ${each(perThread, (i) => `var p${i} = vec4<i32>();`, ' ')}
    for (var first = 0u; first < segment_words; first += ${words}u) {
      ${load('a', planesA, 'rows')}
      ${load('b', planesB, 'columns')}
      workgroupBarrier();
      for (var v = 0u; v < ${vectors}u; v++) {
        ${each(planesB, (plane) =>
          each(perThread, (j) => `let b${plane}_${j} = b_tile${plane}[v][${rowOf('x', j)}];`, ' '),
        )}
        ${each(
          perThread,
          (i) => `{
          ${each(planesA, (plane) => `let a${plane} = a_tile${plane}[v][${rowOf('y', i)}];`, ' ')}
          ${dots(i)}
        }`,
        )}
      }
      if (first + ${words}u >= segment_words) {
        if (atomicLoad(&careful) == 0u) {
          let factors = vec4<f32>(${each(perThread, (j) => `b_factors[${rowOf('x', j)}]`, ', ')});
          ${each(
            perThread,
            (i) =>
              `sum${i} = bitcast<vec4<u32>>(bitcast<vec4<f32>>(sum${i}) + vec4<f32>(p${i}) * a_factors[${rowOf('y', i)}] * factors);`,
          )}
        } else {
          // Copies, so that the sums themselves stay in registers.
          var terms = array<vec4<i32>, ${perThread}>(${each(perThread, (i) => `p${i}`, ', ')});
          var sums = array<vec4<u32>, ${perThread}>(${each(perThread, (i) => `sum${i}`, ', ')});
          for (var i = 0u; i < ${perThread}u; i++) {
            let a_word = a_words[y + i * ${side}u];
            let a_scale = scale_of(a_word, params.a_unit);
            for (var j = 0u; j < ${perThread}u; j++) {
              let b_word = b_words[x + j * ${side}u];
              let b_scale = scale_of(b_word, params.b_unit);
              let p = terms[i][j] * a_scale.significand * b_scale.significand;
              let sum = add_term(sums[i][j], p, a_scale.exponent + b_scale.exponent);
              sums[i][j] = select(sum, NAN_BITS, a_word == ${scaleWord.nan}u || b_word == ${scaleWord.nan}u);
            }
          }
          ${each(perThread, (i) => `sum${i} = sums[${i}];`, ' ')}
        }
      }
      workgroupBarrier();
    }
  }
  let out_start = matrix * params.rows * params.columns;
  ${each(
    perThread,
    (i) => `
  if (a_first + ${rowOf('y', i)} < params.rows) {
    let start = out_start + (a_first + ${rowOf('y', i)}) * params.columns;
    for (var j = 0u; j < ${perThread}u; j++) {
      let column = b_first + x + j * ${side}u;
      if (column < params.columns) { out_set(start + column, sum${i}[j]); }
    }
  }`,
  )}
}`,
  };
}
