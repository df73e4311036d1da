import type { Kernel } from './kernel.js';

/** Rows from this width on are shared by the threads of a workgroup; a shorter one is one thread's. */
const wideRow = 128;
const lanes = 64;

export type RowKernel = Omit<Kernel, 'code'> & {
  /** WGSL before `main`. */
  readonly library?: string;
  /**
   * For one `row` of `params.width` columns: `start` is its first element, `for_columns` begins a loop over the columns
   * `c` of this thread, `sum_of(x)` and `max_of(x)` join the threads' values, and `first` says which thread writes what
   * is one a row.
   */
  readonly body: string;
};

export interface RowKernels {
  readonly narrow: Kernel;
  readonly wide: Kernel;
}

/** A kernel over rows in two forms: a thread a row, and a workgroup a row. */
export function rowKernels({ name, inputs, outputs, parameters, library = '', body }: RowKernel): RowKernels {
  const kernel = (wide: boolean): Kernel => {
    const step = wide ? lanes : 1;
    const joined = (operation: string) => `
  partial[lane_index] = x;
  for (var width = ${lanes / 2}u; width > 0u; width = width / 2u) {
    workgroupBarrier();
    if (lane_index < width) {
      let a = partial[lane_index];
      let b = partial[lane_index + width];
      partial[lane_index] = ${operation};
    }
  }
  workgroupBarrier();
  let result = partial[0];
  workgroupBarrier();
  return result;`;
    const join = (fn: string, operation: string) =>
      `fn ${fn}(lane_index: u32, x: f32) -> f32 { ${wide ? joined(operation) : 'return x;'} }`;
    return {
      name: wide ? `${name}-wide` : name,
      inputs,
      outputs,
      parameters: { rows: 'u32', width: 'u32', ...parameters },
      code: `${library}
${wide ? `var<workgroup> partial: array<f32, ${lanes}>;` : ''}
fn unordered(a: f32) -> bool { return (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u; }
fn larger(a: f32, b: f32) -> f32 {
  if (unordered(a)) { return a; }
  if (unordered(b)) { return b; }
  return select(b, a, a > b);
}
${join('join_sum', 'a + b')}
${join('join_max', 'larger(a, b)')}
@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.y * workgroups.x + workgroup.x;
  let row = ${wide ? 'group' : `group * ${lanes}u + lane`};
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let first = ${wide ? 'lane == 0u' : 'true'};
  ${body
    .replaceAll('for_columns', `for (var c = ${wide ? 'lane' : '0u'}; c < params.width; c += ${step}u)`)
    .replaceAll('sum_of(', 'join_sum(lane, ')
    .replaceAll('max_of(', 'join_max(lane, ')}
}`,
    };
  };
  return { narrow: kernel(false), wide: kernel(true) };
}

/** Which form, and over how many workgroups. */
export function chooseRows(
  { narrow, wide }: RowKernels,
  rows: number,
  width: number,
): { kernel: Kernel; groups: number } {
  return width >= wideRow ? { kernel: wide, groups: rows } : { kernel: narrow, groups: Math.ceil(rows / lanes) };
}
