// A block on its own, of any length and stride, element by element: what the vector kernels leave out.

import { encodeElement, roundElement } from './element';
import { factorAfter, factorBefore, scaleByte } from './scales';
import { e4m3Scales, INFINITY_BITS, QUIET_NAN, rounding, STOCHASTIC } from './settings';

function largestOf(source: usize, count: i32, step: usize): i32 {
  let found = 0;
  for (let i = 0; i < count; i++) found = max(found, load<i32>(source + <usize>i * step) & 0x7fffffff);
  return found;
}

/** Rounds `count` elements, `step` bytes apart. */
export function roundSingle(source: usize, target: usize, words: usize, count: i32, step: usize): void {
  const maximum = largestOf(source, count, step);
  const byte = scaleByte(maximum);
  const before = factorBefore(byte);
  const after = factorAfter(byte);
  for (let i = 0; i < count; i++) {
    const at = <usize>i * step;
    const random = rounding == STOCHASTIC ? load<i32>(words + at) : 0;
    if (maximum >= INFINITY_BITS) store<i32>(target + at, QUIET_NAN);
    else if (e4m3Scales) {
      const word = reinterpret<i32>(load<f32>(source + at) * before);
      store<f32>(target + at, reinterpret<f32>(roundElement(word, 127, random)) * after);
    } else store<i32>(target + at, roundElement(load<i32>(source + at), byte, random));
  }
}

/** Encodes `count` elements, `step` bytes apart, into codes a quarter as far apart, and gives the scale byte. */
export function encodeSingle(source: usize, codes: usize, words: usize, count: i32, step: usize): i32 {
  const maximum = largestOf(source, count, step);
  const byte = scaleByte(maximum);
  const before = factorBefore(byte);
  for (let i = 0; i < count; i++) {
    const at = <usize>i * step;
    const random = rounding == STOCHASTIC ? load<i32>(words + at) : 0;
    let code = 0;
    if (maximum < INFINITY_BITS) {
      code = e4m3Scales
        ? encodeElement(reinterpret<i32>(load<f32>(source + at) * before), 127, random)
        : encodeElement(load<i32>(source + at), byte, random);
    }
    store<u8>(codes + (at >> 2), <u8>code);
  }
  return byte;
}
