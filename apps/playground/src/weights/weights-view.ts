import { type EagerOperations, lmdLogMedians, lmdWeightNames, type NamedTensors, type OptimizerState } from '@lmd/core';
import { contractionAxes, lmdParameter } from '@lmd/models';
import { type LogNormality, logNormality } from '@lmd/training';
import type { ShownRun } from '../training/session.js';
import { type BlockView, blockOf } from './block.js';

const bins = 48;

/** Magnitudes of weights, whose logarithms are summarized. */
export interface Magnitudes {
  readonly label: 'm+' | 'm-' | '|w|';
  /** Of the natural logarithms. */
  readonly logs: LogNormality;
}

export interface WeightsQuery {
  readonly run: number;
  /** Name of a weight; empty: all matrices. */
  readonly weight: string;
  /** Format of the block; empty: that of the run, or MXFP4 if the run has no block format. */
  readonly format: string;
  readonly block: number;
}

/** What the screen of the weights shows. */
export interface WeightsView {
  readonly step: number;
  readonly names: readonly string[];
  readonly magnitudes: readonly Magnitudes[];
  readonly block: BlockView;
}

/** Looks at the weights of a run between two of its steps. */
export async function weightsView(run: ShownRun, query: WeightsQuery): Promise<WeightsView | undefined> {
  const { ops, optimizer, training } = run;
  if (training === undefined) return undefined;
  const { state, step } = training;
  const weights = optimizer.weights(ops, state, 'mean');
  try {
    const names = Object.keys(weights).filter((name) => lmdParameter(name, weights[name]!.shape));
    const chosen = names.includes(query.weight) ? [query.weight] : names;
    const axes = contractionAxes(Object.entries(weights).map(([name, { shape }]) => [name, shape]));
    const name = names.includes(query.weight) ? query.weight : names[0]!;
    const values = (await ops.read(weights[name]!)) as Float32Array;
    const { shape } = weights[name]!;
    return {
      step,
      names,
      magnitudes: await magnitudesOf(ops, state, weights, chosen),
      block: blockOf(
        name,
        { values, shape, axis: axes?.get(name) ?? 0 },
        query.format || run.settings.format,
        query.block,
      ),
    };
  } finally {
    ops.dispose(weights);
  }
}

async function magnitudesOf(
  ops: EagerOperations,
  state: OptimizerState,
  weights: NamedTensors,
  names: readonly string[],
): Promise<readonly Magnitudes[]> {
  const summary = (parts: readonly Float32Array[]) => logNormality(parts.map(finiteOf), bins);
  if (lmdWeightNames(state).length === 0) {
    const values = await Promise.all(names.map((name) => ops.read(weights[name]!)));
    return [{ label: '|w|', logs: summary(values.map((one) => Float32Array.from(one, (w) => Math.log(Math.abs(w))))) }];
  }
  const halves: { plus: Float32Array[]; minus: Float32Array[] } = { plus: [], minus: [] };
  for (const name of names.filter((one) => lmdWeightNames(state).includes(one))) {
    const medians = lmdLogMedians(ops, state, name);
    halves.plus.push((await ops.read(medians.logPlus)) as Float32Array);
    halves.minus.push((await ops.read(medians.logMinus)) as Float32Array);
    ops.dispose(Object.values(medians));
  }
  return [
    { label: 'm+', logs: summary(halves.plus) },
    { label: 'm-', logs: summary(halves.minus) },
  ];
}

/** Without the logarithm of zero. */
function finiteOf(logs: Float32Array): Float32Array {
  return logs.every(Number.isFinite) ? logs : logs.filter(Number.isFinite);
}
