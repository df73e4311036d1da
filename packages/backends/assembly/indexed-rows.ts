// Rows by index. Rows of `width` 32-bit values.

const QUIET_NAN: u32 = 0x7fc00000;

/**
 * Row indices[i] of x to row i of out, for i from `from` to `to`; an index out of range gives NaN, or 0 for integers.
 */
export function gatherRows(
  from: i32,
  to: i32,
  x: usize,
  indices: usize,
  out: usize,
  rows: i32,
  width: i32,
  integers: bool,
): void {
  const bytes = (<usize>width) << 2;
  for (let i = from; i < to; i++) {
    const row = load<i32>(indices + ((<usize>i) << 2));
    const target = out + <usize>i * bytes;
    if (<u32>row < <u32>rows) memory.copy(target, x + <usize>row * bytes, bytes);
    else for (let at: usize = 0; at < bytes; at += 4) store<u32>(target + at, integers ? 0 : QUIET_NAN);
  }
}

/**
 * Rows `from` to `to` of out: zeros, plus each row of `updates` whose index that is, in the order of the indices;
 * others are ignored.
 */
export function scatterAddRows(
  from: i32,
  to: i32,
  indices: usize,
  updates: usize,
  out: usize,
  count: i32,
  width: i32,
  integers: bool,
): void {
  const bytes = (<usize>width) << 2;
  memory.fill(out + <usize>from * bytes, 0, <usize>(to - from) * bytes);
  for (let i = 0; i < count; i++) {
    const row = load<i32>(indices + ((<usize>i) << 2));
    if (row < from || row >= to) continue;
    const source = updates + <usize>i * bytes;
    const target = out + <usize>row * bytes;
    if (integers) {
      for (let at: usize = 0; at < bytes; at += 4)
        store<i32>(target + at, load<i32>(target + at) + load<i32>(source + at));
    } else {
      let at: usize = 0;
      for (; at + 16 <= bytes; at += 16)
        v128.store(target + at, f32x4.add(v128.load(target + at), v128.load(source + at)));
      for (; at < bytes; at += 4) store<f32>(target + at, load<f32>(target + at) + load<f32>(source + at));
    }
  }
}
