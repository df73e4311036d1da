import {
  checkOptimizer,
  type EagerOperations,
  freshHandle,
  LmdError,
  type NamedTensors,
  type Optimizer,
  type OptimizerState,
  type OptionsOf,
  type OptionTable,
  optimizerSpecVersion,
  option,
  resolveOptions,
  stateName,
} from '@lmd/core';

/** Protected directions of a weight [inputs, outputs]: orthonormal rows, row-major [directions, inputs]. */
export type Directions = (weight: string, shape: readonly number[]) => Float32Array | undefined;

export const projectionOptionTable = {
  directions: option.value<Directions>({
    required: true,
    describe: 'Protected directions of each weight [inputs, outputs]: orthonormal rows, [directions, inputs].',
    allowed: 'a function of the name and the shape of a weight',
    check: (value) => typeof value === 'function',
  }),
  project: option.choice(['gradients', 'weights'], {
    default: 'gradients',
    describe:
      '`gradients`: of each pass, as in HLOP; exact for an optimizer that moves weights along them. `weights`: also ' +
      'the move itself, so that outputs for protected inputs stay, with every optimizer.',
  }),
} as const satisfies OptionTable;

export interface ProjectionOptions extends OptionsOf<typeof projectionOptionTable> {}

const owner = 'orthogonalProjection';
const subspace = 'subspace';
const outputs = 'protectedOutputs';

/**
 * Orthogonal projection for continual learning around any optimizer (HLOP, arXiv:2402.11984; derived again from its
 * description, without its spiking layers). A layer computes x·W, and its gradient is xᵀ·dy. HLOP uses x − HᵀHx for x
 * in later updates, where H [directions, inputs] spans the inputs of earlier tasks. That is the gradient
 *
 *     G ← G − Hᵀ·(H·G)
 *
 * so it needs no change to the model. A step along this G leaves h·W as it is for all h in H. Steps of AdamW or LMD are
 * not along it: they rescale or take the sign of each element. With `project: 'weights'` the forward pass therefore
 * runs at
 *
 *     W = V + Hᵀ·(C − H·V)
 *
 * where V are the optimizer's weights and C = H·W at `init`. The derivative by V is the same projection.
 *
 * Each task begins with an optimizer of its own, from the weights: momentum of the task before would not be projected.
 *
 * State: that of the optimizer, and for each protected weight `subspace`, H, and `protectedOutputs`, C [directions,
 * outputs].
 *
 * @throws LmdError `INVALID_ARGUMENT` of `init` for directions that do not fit the weight.
 */
export function orthogonalProjection(optimizer: Optimizer, options: ProjectionOptions): Optimizer {
  const { directions, project } = resolveOptions(owner, projectionOptionTable, options);
  checkOptimizer(optimizer, { subject: `${owner}: optimizer` });
  const isOwn = (name: string) => name.endsWith(`/${subspace}`) || name.endsWith(`/${outputs}`);
  const part = (state: OptimizerState, own: boolean): NamedTensors =>
    Object.fromEntries(Object.entries(state.tensors).filter(([name]) => isOwn(name) === own));
  const innerOf = (state: OptimizerState): OptimizerState => ({ step: state.step, tensors: part(state, false) });

  function withOutputsKept(ops: EagerOperations, state: OptimizerState, weights: NamedTensors): NamedTensors {
    if (project === 'gradients') return weights;
    return Object.fromEntries(
      Object.entries(weights).map(([name, v]) => {
        const h = state.tensors[stateName(name, subspace)];
        if (h === undefined) return [name, v];
        const c = state.tensors[stateName(name, outputs)]!;
        return [name, ops.add(v, ops.matmul(h, ops.subtract(c, ops.matmul(h, v)), { transposeA: true }))];
      }),
    );
  }

  function projected(ops: EagerOperations, state: OptimizerState, gradients: NamedTensors): NamedTensors {
    return Object.fromEntries(
      Object.entries(gradients).flatMap(([name, gradient]) => {
        const h = state.tensors[stateName(name, subspace)];
        // What does not fit is left to the optimizer, which refuses it by name.
        const fits = gradient.dtype === 'f32' && gradient.shape.length === 2 && gradient.shape[0] === h?.shape[1];
        if (h === undefined || !fits) return [];
        const along = ops.matmul(h, gradient);
        return [[name, ops.subtract(gradient, ops.matmul(h, along, { transposeA: true }))]];
      }),
    );
  }

  return {
    specVersion: optimizerSpecVersion,
    name: `${owner}(${optimizer.name})`,
    samples: optimizer.samples,

    async init(ops, weights) {
      const known = Object.entries(weights).map(([name, w]) => [name, w, directions(name, w.shape)] as const);
      for (const [name, { shape }, values] of known) checkDirections(name, shape, values);
      const inner = await optimizer.init(ops, weights);
      const own = known.flatMap(([name, w, values]) => {
        if (values === undefined || values.length === 0) return [];
        const h = ops.fromData(values, [values.length / w.shape[0]!, w.shape[0]!]);
        return [
          [stateName(name, subspace), h],
          [stateName(name, outputs), ops.matmul(h, w)],
        ];
      });
      return { step: 0, tensors: { ...inner.tensors, ...Object.fromEntries(own) } };
    },

    draw: (ops, state, key) => ops.scope(() => withOutputsKept(ops, state, optimizer.draw(ops, innerOf(state), key))),

    weights: (ops, state, kind, key) =>
      ops.scope(() => withOutputsKept(ops, state, optimizer.weights(ops, innerOf(state), kind, key))),

    update: (ops, state, passes, done) =>
      ops.scope(() => {
        const changed = passes.map(({ gradients }) => projected(ops, state, gradients));
        const given = passes.map((pass, i) => ({ ...pass, gradients: { ...pass.gradients, ...changed[i] } }));
        // Before the caller may free the old ones in `done`.
        const own = Object.entries(part(state, true)).map(([name, tensor]) => [name, freshHandle(ops, tensor)]);
        const { step, tensors } = optimizer.update(ops, innerOf(state), given, done);
        return { step, tensors: { ...tensors, ...Object.fromEntries(own) } };
      }),
  };
}

function checkDirections(name: string, shape: readonly number[], values: Float32Array | undefined): void {
  if (values === undefined || values.length === 0) return;
  const inputs = shape[0] ?? 0;
  const count = values.length / inputs;
  if (shape.length === 2 && Number.isInteger(count) && count <= inputs) return;
  const given = `${values.length} values for "${name}" of shape [${shape}]`;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: directions has ${given}.`, {
    subject: 'directions',
    value: values.length,
    remedy: 'Give a matrix [inputs, outputs] at most as many directions as it has inputs, and other weights none.',
  });
}
