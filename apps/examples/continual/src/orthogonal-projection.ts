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
  type Tensor,
} from '@lmd/core';
import { type HebbianOptions, hebbianSubspace } from './hebbian-subspace.js';

export const projectionOptionTable = {
  capacity: option.value<(weight: string, shape: readonly number[]) => number>({
    required: true,
    describe: 'Number of directions that a weight [inputs, outputs] can protect; 0 leaves the weight alone.',
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

export interface ProjectedOptimizer extends Optimizer {
  /**
   * Protects the principal subspace of a layer's inputs, as far as earlier calls do not protect it already: learns new
   * directions by `hebbianSubspace`. The given state is unchanged and still has to be freed.
   *
   * The optimizer begins anew at step 0 from the weights, as it does for every task: its momentum holds gradients that
   * are not projected onto the complement of the new directions.
   *
   * @param inputs [examples, inputs] of the product with each named weight.
   * @throws LmdError `INVALID_ARGUMENT` for a weight without capacity, or with less than `rows` left.
   */
  protect(
    ops: EagerOperations,
    state: OptimizerState,
    inputs: NamedTensors,
    options: (weight: string) => HebbianOptions,
    onStep?: () => Promise<void>,
  ): Promise<OptimizerState>;
}

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
 * where V are the optimizer's weights and C = H·W at the time of `protect`. The derivative by V is the same projection.
 *
 * State: that of the optimizer, and for a weight with a capacity `subspace` [capacity, inputs], zero in the rows that
 * are not used yet, and `protectedOutputs` [capacity, outputs].
 */
export function orthogonalProjection(optimizer: Optimizer, options: ProjectionOptions): ProjectedOptimizer {
  const { capacity, project } = resolveOptions(owner, projectionOptionTable, options);
  checkOptimizer(optimizer, { subject: `${owner}: optimizer` });
  const isOwn = (name: string) => name.endsWith(`/${subspace}`) || name.endsWith(`/${outputs}`);
  const part = (state: OptimizerState, own: boolean): NamedTensors =>
    Object.fromEntries(Object.entries(state.tensors).filter(([name]) => isOwn(name) === own));
  const innerOf = (state: OptimizerState): OptimizerState => ({ step: state.step, tensors: part(state, false) });
  const copyOf = (ops: EagerOperations, tensors: NamedTensors): NamedTensors =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, freshHandle(ops, tensor)]));

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

  const weightsOf: Optimizer['weights'] = (ops, state, kind, key) =>
    ops.scope(() => withOutputsKept(ops, state, optimizer.weights(ops, innerOf(state), kind, key)));

  return {
    specVersion: optimizerSpecVersion,
    name: `${owner}(${optimizer.name})`,
    samples: optimizer.samples,

    async init(ops, weights) {
      const sizes = Object.entries(weights).map(([name, { shape }]) => [name, shape, capacity(name, shape)] as const);
      const protectable = sizes.filter(([, , rows]) => rows !== 0);
      for (const [name, shape, rows] of protectable) checkCapacity(name, shape, rows);
      const inner = await optimizer.init(ops, weights);
      const own = protectable.flatMap(([name, [inputs, width], rows]) => [
        [stateName(name, subspace), ops.zeros([rows, inputs!])],
        [stateName(name, outputs), ops.zeros([rows, width!])],
      ]);
      return { step: 0, tensors: { ...inner.tensors, ...Object.fromEntries(own) } };
    },

    draw: (ops, state, key) => ops.scope(() => withOutputsKept(ops, state, optimizer.draw(ops, innerOf(state), key))),

    weights: weightsOf,

    update: (ops, state, passes, done) =>
      ops.scope(() => {
        const changed = passes.map(({ gradients }) => projected(ops, state, gradients));
        const given = passes.map((pass, i) => ({ ...pass, gradients: { ...pass.gradients, ...changed[i] } }));
        // Before the caller may free the old ones in `done`.
        const own = copyOf(ops, part(state, true));
        const { step, tensors } = optimizer.update(ops, innerOf(state), given, done);
        return { step, tensors: { ...tensors, ...own } };
      }),

    async protect(ops, state, inputs, optionsOf, onStep) {
      const weights = weightsOf(ops, state);
      let tensors: NamedTensors = {};
      try {
        tensors = { ...(await optimizer.init(ops, weights)).tensors, ...copyOf(ops, part(state, true)) };
        for (const [name, x] of Object.entries(inputs)) {
          const own = [stateName(name, subspace), stateName(name, outputs)] as const;
          const [h, c] = [tensors[own[0]], tensors[own[1]]];
          const used = await usedRows(ops, name, h, optionsOf(name).rows);
          const known = used === 0 ? undefined : ops.slice(h!, [0, 0], [used, h!.shape[1]!]);
          const learnt = await hebbianSubspace(ops, x, optionsOf(name), known, onStep).finally(() => {
            if (known !== undefined) ops.dispose(known);
          });
          const next = ops.scope(() => [
            withRows(ops, h!, learnt, used),
            withRows(ops, c!, ops.matmul(learnt, weights[name]!), used),
          ]) as [Tensor, Tensor];
          ops.dispose([learnt, h!, c!]);
          tensors = { ...tensors, [own[0]]: next[0], [own[1]]: next[1] };
        }
        return { step: 0, tensors };
      } catch (error) {
        ops.dispose(tensors);
        throw error;
      } finally {
        ops.dispose(weights);
      }
    },
  };
}

function withRows(ops: EagerOperations, matrix: Tensor, rows: Tensor, from: number): Tensor {
  const all = matrix.shape[0]!;
  return ops.add(matrix, ops.pad(rows, [from, 0], [all - from - rows.shape[0]!, 0]));
}

/** The number of rows in use: a learnt one is not zero. */
async function usedRows(ops: EagerOperations, name: string, h: Tensor | undefined, wanted: number): Promise<number> {
  const [rows, width] = (h?.shape ?? [0, 0]) as [number, number];
  const values = h === undefined ? [] : await ops.read(h);
  let used = 0;
  while (used < rows && values.slice(used * width, (used + 1) * width).some((value) => value !== 0)) used += 1;
  if (used + wanted <= rows) return used;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `${owner}: rows is ${wanted}, but "${name}" has ${rows - used} of ${rows} left.`,
    {
      subject: 'rows',
      value: wanted,
      remedy: 'Learn fewer directions, or give the weight a larger capacity.',
    },
  );
}

function checkCapacity(name: string, shape: readonly number[], rows: number): void {
  if (shape.length === 2 && Number.isInteger(rows) && rows > 0 && rows <= shape[0]!) return;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: capacity is ${rows} for "${name}" of shape [${shape}].`, {
    subject: 'capacity',
    value: rows,
    remedy: 'Use a whole number up to the inputs of a matrix [inputs, outputs], or 0 for other weights.',
  });
}
