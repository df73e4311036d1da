import {
  type EagerOperations,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  type Tensor,
} from '@lmd/core';
import { permutation } from '@lmd/training';

export const hebbianOptionTable = {
  rows: option.integer({ atLeast: 1, required: true, describe: 'Number of directions to learn.' }),
  learningRate: option.number({
    above: 0,
    default: 1,
    describe: 'η, for inputs whose mean square length is 1, to which they are scaled.',
  }),
  momentum: option.number({ atLeast: 0, below: 1, default: 0.9, describe: 'Momentum of the updates.' }),
  clamp: option.number({ above: 0, default: 10, describe: 'Largest magnitude of an element.' }),
  steps: option.integer({ atLeast: 1, default: 600, describe: 'Number of updates.' }),
  batchSize: option.integer({ atLeast: 1, default: 256, describe: 'Number of inputs per update.' }),
  seed: option.integer({ atLeast: 0, default: 0, describe: 'Seed of the start and of the order of the inputs.' }),
} as const satisfies OptionTable;

export interface HebbianOptions extends OptionsOf<typeof hebbianOptionTable> {}

/**
 * The principal subspace of inputs, learnt by Hebbian and anti-Hebbian lateral connections (HLOP: Xiao et al.,
 * arXiv:2402.11984; derived again from its description). With y = H·x and x̂ = Hᵀ·y of a batch of B inputs,
 *
 *     ΔH ← momentum·ΔH + η·Σ y·(x − x̂)ᵀ / B;   H ← clamp(H + ΔH)
 *
 * This is Oja's subspace rule: its stable fixed points are the H with orthonormal rows that span the `rows` leading
 * eigenvectors of the second moment of x, which is not centred. Rows of little variance become orthonormal last, so
 * that is completed in the end.
 *
 * @param inputs [examples, inputs].
 * @param known [directions, inputs], whose rows are kept out: x is replaced by x − knownᵀ·known·x.
 * @param onStep awaited after each update, for progress.
 * @returns H, [rows, inputs].
 * @throws LmdError `INVALID_ARGUMENT` for more directions, with the known ones, than inputs; `SHAPE_MISMATCH` for
 * `known` of another width; `NON_FINITE` if the learning rate is too large.
 */
export async function hebbianSubspace(
  ops: EagerOperations,
  inputs: Tensor,
  options: HebbianOptions,
  known?: Tensor,
  onStep?: () => Promise<void>,
): Promise<Tensor> {
  const { rows, learningRate, momentum, clamp, steps, batchSize, seed } = resolveOptions(
    'hebbianSubspace',
    hebbianOptionTable,
    options,
  );
  const [examples, width] = inputs.shape as [number, number];
  checkSizes(width, rows, known);
  /** Without the part in the known directions. */
  const residual = (x: Tensor) =>
    known === undefined ? x : ops.subtract(x, ops.matmul(ops.matmul(x, known, { transposeB: true }), known));

  const meanSquare = ops.scope(() => {
    const rest = residual(inputs);
    return ops.multiply(ops.sum(ops.multiply(rest, rest)), 1 / examples);
  });
  const squareLength = (await ops.read(meanSquare))[0]!;
  ops.dispose(meanSquare);
  if (!Number.isFinite(squareLength)) {
    throw new LmdError('NON_FINITE', `hebbianSubspace: the mean square length of inputs is ${squareLength}.`, {
      subject: 'inputs',
      value: squareLength,
      remedy: 'Check that the network has not diverged.',
    });
  }
  // Inputs that lie in the known directions leave nothing to learn.
  const scale = squareLength > 0 ? 1 / Math.sqrt(squareLength) : 0;

  const size = Math.min(batchSize, examples);
  const perEpoch = Math.floor(examples / size);
  let order: Int32Array = new Int32Array();
  // Rows of length about a half.
  const key = { seed, stream: 0, step: 0, sample: 0 };
  let h = ops.scope(() => residual(ops.multiply(ops.randomNormal([rows, width], key), 0.5 / Math.sqrt(width))));
  let change = ops.zeros([rows, width]);
  for (let step = 0; step < steps; step += 1) {
    const position = step % perEpoch;
    if (position === 0) order = permutation(examples, seed, 'hebbian', step / perEpoch);
    const chosen = order.slice(position * size, (position + 1) * size);
    const [nextH, nextChange] = ops.scope(() => {
      const x = ops.multiply(residual(ops.gather(inputs, ops.fromData(chosen))), scale);
      const y = ops.matmul(x, h, { transposeB: true });
      const rest = ops.subtract(x, ops.matmul(y, h));
      const step = ops.multiply(ops.matmul(y, rest, { transposeA: true }), learningRate / size);
      const moved = ops.add(ops.multiply(change, momentum), step);
      return [ops.minimum(ops.maximum(ops.add(h, moved), -clamp), clamp), moved];
    }) as [Tensor, Tensor];
    ops.dispose([h, change]);
    [h, change] = [nextH, nextChange];
    try {
      await onStep?.();
    } catch (error) {
      ops.dispose([h, change]);
      throw error;
    }
  }
  ops.dispose(change);
  h = orthonormalized(ops, h);
  const largest = ops.scope(() => ops.max(ops.where(ops.equal(h, h), ops.absolute(h), Number.POSITIVE_INFINITY)));
  const isLearnt = (await ops.read(largest))[0]! < clamp;
  ops.dispose(largest);
  if (isLearnt) return h;
  ops.dispose(h);
  throw new LmdError('NON_FINITE', `hebbianSubspace: the subspace diverged at learningRate ${learningRate}.`, {
    subject: 'learningRate',
    value: learningRate,
    remedy: 'Use a smaller one.',
  });
}

/** Newton–Schulz steps, H ← H + ½·(I − H·Hᵀ)·H: the rows become orthonormal sooner, and their span stays. */
function orthonormalized(ops: EagerOperations, h: Tensor): Tensor {
  let result = h;
  for (let step = 0; step < 5; step += 1) {
    const next = ops.scope(() => {
      const gram = ops.matmul(result, result, { transposeB: true });
      return ops.subtract(ops.multiply(result, 1.5), ops.multiply(ops.matmul(gram, result), 0.5));
    });
    ops.dispose(result);
    result = next;
  }
  return result;
}

function checkSizes(width: number, rows: number, known: Tensor | undefined): void {
  if (known !== undefined && known.shape[1] !== width) {
    throw new LmdError('SHAPE_MISMATCH', `hebbianSubspace: known has shape [${known.shape}] for inputs of ${width}.`, {
      subject: 'known',
      value: known.shape,
      remedy: `Use directions of ${width} elements.`,
    });
  }
  const taken = known?.shape[0] ?? 0;
  if (taken + rows <= width) return;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `hebbianSubspace: rows is ${rows} beside ${taken} known directions, but the layer has only ${width} inputs.`,
    { subject: 'rows', value: rows, remedy: `Use at most ${width - taken}.` },
  );
}
