import { type FloatTensor, type FusedKernels, sizeOf, type Tensor } from '@lmd/core';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { chooseRows, rowKernels } from './rows.js';
import { mathLibrary } from './wgsl.js';

type Normalization = Pick<
  FusedKernels,
  'softmax' | 'softmaxGradient' | 'layerNorm' | 'layerNormGradient' | 'crossEntropy' | 'crossEntropyGradient'
>;

/** Softmax of scale·x; with `queries` not zero, columns after the row's position among so many have probability 0. */
const softmaxKernels = rowKernels({
  name: 'softmax',
  inputs: { x: 'f32' },
  outputs: { out: 'f32' },
  parameters: { scale: 'f32', queries: 'u32' },
  library: mathLibrary,
  body: `
  var visible = params.width;
  if (params.queries > 0u) { visible = min(visible, row % params.queries + 1u); }
  var largest = -infinity();
  for_columns { if (c < visible) { largest = larger(largest, params.scale * x_at(start + c)); } }
  largest = max_of(largest);
  var total = 0.0;
  for_columns { if (c < visible) { total += exponential(params.scale * x_at(start + c) - largest); } }
  total = sum_of(total);
  for_columns {
    var value = 0.0;
    if (c < visible) { value = exponential(params.scale * x_at(start + c) - largest) / total; }
    out_set(start + c, value);
  }`,
});

const softmaxGradientKernels = rowKernels({
  name: 'softmaxGradient',
  inputs: { y: 'f32', dy: 'f32' },
  outputs: { out: 'f32' },
  parameters: { scale: 'f32' },
  body: `
  var total = 0.0;
  for_columns { total += y_at(start + c) * dy_at(start + c); }
  total = sum_of(total);
  for_columns { out_set(start + c, params.scale * (y_at(start + c) * (dy_at(start + c) - total))); }`,
});

/** Mean and 1/√(variance + ε) of the row. */
const moments = `
  var total = 0.0;
  for_columns { total += x_at(start + c); }
  let mean = sum_of(total) / f32(params.width);
  var squares = 0.0;
  for_columns { let d = x_at(start + c) - mean; squares += d * d; }
  let scale = 1.0 / sqrt(sum_of(squares) / f32(params.width) + params.epsilon);`;

const layerNormKernels = rowKernels({
  name: 'layerNorm',
  inputs: { x: 'f32', gain: 'f32', bias: 'f32' },
  outputs: { out: 'f32' },
  parameters: { epsilon: 'f32' },
  body: `${moments}
  for_columns { out_set(start + c, (x_at(start + c) - mean) * scale * gain_at(c) + bias_at(c)); }`,
});

const layerNormGradientKernels = rowKernels({
  name: 'layerNormGradient',
  inputs: { x: 'f32', gain: 'f32', dy: 'f32' },
  outputs: { out: 'f32', stats: 'f32' },
  parameters: { epsilon: 'f32' },
  body: `${moments}
  var inner = 0.0;
  var along = 0.0;
  for_columns {
    let g = dy_at(start + c) * gain_at(c);
    inner += g;
    along += g * ((x_at(start + c) - mean) * scale);
  }
  inner = sum_of(inner) / f32(params.width);
  along = sum_of(along) / f32(params.width);
  for_columns {
    let n = (x_at(start + c) - mean) * scale;
    out_set(start + c, (dy_at(start + c) * gain_at(c) - inner - n * along) * scale);
  }
  if (first) { stats_set(2u * row, mean); stats_set(2u * row + 1u, scale); }`,
});

const columnsOfGroup = 16;
const rowLanes = 16;

/** Sums over rows of dy·n and of dy: sixteen columns a workgroup, sixteen rows at a time. */
const layerNormSumsKernel: Kernel = {
  name: 'layerNormGradient-sums',
  inputs: { x: 'f32', dy: 'f32', stats: 'f32' },
  outputs: { gain: 'f32', bias: 'f32' },
  parameters: { rows: 'u32', width: 'u32' },
  code: `
var<workgroup> partial: array<vec2<f32>, ${columnsOfGroup * rowLanes}>;
@compute @workgroup_size(${columnsOfGroup * rowLanes})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = (workgroup.y * workgroups.x + workgroup.x) * ${columnsOfGroup}u + lane % ${columnsOfGroup}u;
  var total = vec2<f32>();
  if (column < params.width) {
    for (var row = lane / ${columnsOfGroup}u; row < params.rows; row += ${rowLanes}u) {
      let g = dy_at(row * params.width + column);
      total += vec2<f32>(g * ((x_at(row * params.width + column) - stats_at(2u * row)) * stats_at(2u * row + 1u)), g);
    }
  }
  partial[lane] = total;
  for (var size = ${(columnsOfGroup * rowLanes) / 2}u; size >= ${columnsOfGroup}u; size = size / 2u) {
    workgroupBarrier();
    if (lane < size) { partial[lane] += partial[lane + size]; }
  }
  if (lane < ${columnsOfGroup}u && column < params.width) {
    gain_set(column, partial[lane].x);
    bias_set(column, partial[lane].y);
  }
}`,
};

const crossEntropyKernels = rowKernels({
  name: 'crossEntropy',
  inputs: { x: 'f32', labels: 'u32' },
  outputs: { out: 'f32' },
  parameters: {},
  library: mathLibrary,
  body: `
  var largest = -infinity();
  for_columns { largest = larger(largest, x_at(start + c)); }
  largest = max_of(largest);
  var total = 0.0;
  for_columns { total += exponential(x_at(start + c) - largest); }
  total = sum_of(total);
  if (first) {
    let label = labels_at(row);
    var loss = nan();
    if (label < params.width) { loss = logarithm(total) - (x_at(start + label) - largest); }
    out_set(row, loss);
  }`,
});

const crossEntropyGradientKernels = rowKernels({
  name: 'crossEntropyGradient',
  inputs: { x: 'f32', labels: 'u32', dy: 'f32' },
  outputs: { out: 'f32' },
  parameters: {},
  library: mathLibrary,
  body: `
  var largest = -infinity();
  for_columns { largest = larger(largest, x_at(start + c)); }
  largest = max_of(largest);
  var total = 0.0;
  for_columns { total += exponential(x_at(start + c) - largest); }
  total = sum_of(total);
  let label = labels_at(row);
  for_columns {
    let probability = exponential(x_at(start + c) - largest) / total;
    var value = nan();
    if (label < params.width) { value = dy_at(row) * (probability - select(0.0, 1.0, c == label)); }
    out_set(start + c, value);
  }`,
});

const widthOf = (x: Tensor) => x.shape.at(-1)!;
const rowsOf = (x: Tensor) => sizeOf(x.shape.slice(0, -1));

/** Softmax of scale·x, with a causal mask over `queries` rows where that is not 0. Used by attention, too. */
export function scaledSoftmax({ make, run }: Context, x: FloatTensor, scale: number, queries: number): FloatTensor {
  const [rows, width] = [rowsOf(x), widthOf(x)];
  return make(x.shape, 'f32', (out) => {
    if (sizeOf(x.shape) === 0) return;
    const { kernel, groups } = chooseRows(softmaxKernels, rows, width);
    run(kernel, [x], [out], { rows, width, scale, queries }, groups);
  });
}

/** scale · y · (dy − Σ y·dy). */
export function scaledSoftmaxGradient(
  { make, run }: Context,
  y: FloatTensor,
  dy: FloatTensor,
  scale: number,
): FloatTensor {
  const [rows, width] = [rowsOf(y), widthOf(y)];
  return make(y.shape, 'f32', (out) => {
    if (sizeOf(y.shape) === 0) return;
    const { kernel, groups } = chooseRows(softmaxGradientKernels, rows, width);
    run(kernel, [y, dy], [out], { rows, width, scale }, groups);
  });
}

export function normalization(context: Context): Normalization {
  const { allocate, make, makeAll, run, store } = context;

  return {
    softmax: (x) => scaledSoftmax(context, x, 1, 0),
    softmaxGradient: (y, dy) => scaledSoftmaxGradient(context, y, dy, 1),
    layerNorm(x, gain, bias, epsilon) {
      const [rows, width] = [rowsOf(x), widthOf(x)];
      return make(x.shape, 'f32', (out) => {
        if (sizeOf(x.shape) === 0) return;
        const { kernel, groups } = chooseRows(layerNormKernels, rows, width);
        run(kernel, [x, gain, bias], [out], { rows, width, epsilon }, groups);
      });
    },
    layerNormGradient(x, gain, dy, epsilon) {
      const [rows, width] = [rowsOf(x), widthOf(x)];
      const [forX, forGain, forBias] = makeAll([x.shape, gain.shape, gain.shape] as const, (outs) => {
        const stats = allocate([rows, 2], 'f32');
        try {
          if (sizeOf(x.shape) > 0) {
            const { kernel, groups } = chooseRows(layerNormGradientKernels, rows, width);
            run(kernel, [x, gain, dy], [outs[0], stats], { rows, width, epsilon }, groups);
          }
          const groups = Math.ceil(width / columnsOfGroup);
          run(layerNormSumsKernel, [x, dy, stats], [outs[1], outs[2]], { rows, width }, groups);
        } finally {
          store.free(stats);
        }
      });
      return { x: forX, gain: forGain, bias: forBias };
    },
    crossEntropy(logits, labels) {
      const [rows, width] = logits.shape as [number, number];
      return make([rows], 'f32', (out) => {
        const { kernel, groups } = chooseRows(crossEntropyKernels, rows, width);
        run(kernel, [logits, labels], [out], { rows, width }, groups);
      });
    },
    crossEntropyGradient(logits, labels, dy) {
      const [rows, width] = logits.shape as [number, number];
      return make(logits.shape, 'f32', (out) => {
        if (sizeOf(logits.shape) === 0) return;
        const { kernel, groups } = chooseRows(crossEntropyGradientKernels, rows, width);
        run(kernel, [logits, labels, dy], [out], { rows, width }, groups);
      });
    },
  };
}
