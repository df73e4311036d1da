import { type OnGradient, valueAndGradients } from '@lmd/autograd';
import {
  accumulateGradients,
  type EagerOperations,
  type Model,
  type NamedTensors,
  type Optimizer,
  type OptimizerState,
  type Pass,
  type Precision,
  type Tensor,
  type TensorData,
} from '@lmd/core';
import { type CheckedBatch, checkClasses } from './data/check-batch.js';
import { type LossFunction, meanOfCounted, rowLosses } from './loss.js';

export interface StepContext {
  readonly ops: EagerOperations;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly precision: Precision;
  readonly seed: number;
  /** Examples per forward pass; gradients are accumulated over the micro-batches of a batch. */
  readonly microBatchSize: number;
  /** In place of the cross-entropy. */
  readonly loss?: LossFunction | undefined;
  /** The share of the batch that this process computes; the whole batch without it. */
  readonly share?: {
    readonly rank: number;
    readonly workers: number;
    /**
     * Divisor of the losses, of all shares together or of this one: number of labels that are not negative; of examples
     * with a custom loss.
     */
    readonly counted: number;
  };
}

export interface StepResult {
  /** The state after the update; belongs to no scope. */
  readonly state: OptimizerState;
  /** f32 [2]: the loss, and a number that is finite when loss, gradients and new state are (see `reportOf`). */
  readonly report: Tensor;
}

/** Receives the passes of a step before the update; they are valid until it returns. */
export type OnPasses = (passes: readonly Pass[]) => void;

/** Receives every tensor of a step in order of computation, with its name in error messages. */
export type Inspect = (name: string, tensor: Tensor) => void;

/**
 * Enqueues one step: for each posterior sample of the optimizer, forward and backward passes over the micro-batches;
 * then the update. Everything except the result is freed; `state` remains owned by the caller. The step is a pure
 * function of its arguments.
 */
export function enqueueStep(
  context: StepContext,
  state: OptimizerState,
  batch: CheckedBatch,
  { inspect, onPasses }: StepHooks = {},
): StepResult {
  const { ops, optimizer } = context;
  return ops.scope(() => {
    const { loss, passes } = enqueuePasses(context, state, batch, { inspect, onPasses });
    const next = optimizer.update(ops, state, passes);
    inspectAll(inspect, 'updated state', next.tensors);
    for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
    const checked = [...passes.map(({ gradients }) => gradients), next.tensors];
    return { state: next, report: ops.keep(reportOf(ops, loss, checked)) };
  });
}

export interface StepHooks {
  readonly inspect?: Inspect | undefined;
  readonly onPasses?: OnPasses | undefined;
  readonly onGradient?: OnPassGradient | undefined;
}

/**
 * Receives each gradient of each pass once: as soon as it is complete, while the backward pass goes on, if a batch is
 * one micro-batch; otherwise after it. The tensor is one of the pass.
 */
export type OnPassGradient = (pass: number, weight: string, gradient: Tensor) => void;

/** The part of a step before the update: the loss, averaged over posterior samples, and the passes for the update. */
export function enqueuePasses(
  context: StepContext,
  state: OptimizerState,
  batch: CheckedBatch,
  { inspect, onPasses, onGradient }: StepHooks = {},
): { readonly loss: Tensor; readonly losses: readonly Tensor[]; readonly passes: readonly Pass[] } {
  const { ops, optimizer, seed } = context;
  return ops.scope(() => {
    inspectAll(inspect, 'state', state.tensors);
    const passes: Pass[] = [];
    const losses: Tensor[] = [];
    for (let sample = 0; sample < optimizer.samples; sample++) {
      const key = { seed, step: state.step, sample };
      const { loss, gradients } = ops.scope(() => {
        const weights = optimizer.draw(ops, state, key);
        inspectAll(inspect, 'drawn weight', weights);
        if (onGradient === undefined) return accumulate(context, weights, batch, key);
        const seen = new Set<string>();
        const result = accumulate(context, weights, batch, key, (weight, gradient) => {
          seen.add(weight);
          onGradient(sample, weight, gradient);
        });
        for (const [weight, gradient] of Object.entries(result.gradients)) {
          if (!seen.has(weight)) onGradient(sample, weight, gradient);
        }
        return result;
      });
      inspect?.('loss', loss);
      inspectAll(inspect, 'gradient of', gradients);
      losses.push(loss);
      passes.push({ key, gradients });
    }
    onPasses?.(passes);
    return { loss: ops.multiply(sumAll(ops, losses), 1 / losses.length), losses, passes };
  });
}

/**
 * f32 [2], to be read back: the loss, and the sum of the loss and all elements of the records. The sum is non-finite if
 * any element is. A sum of finite numbers may also overflow, so a non-finite sum is checked with `findNonFinite`.
 */
export function reportOf(ops: EagerOperations, loss: Tensor, records: readonly NamedTensors[]): Tensor {
  return ops.scope(() => {
    const sums = records.flatMap((record) => sumsOf(ops, record));
    const finite = sumAll(ops, [loss, ...sums]);
    return ops.concatenate([ops.reshape(loss, [1]), ops.reshape(finite, [1])], 0);
  });
}

/**
 * Loss and gradients of the whole batch at `weights`, one micro-batch at a time: averaged over the rows that are not
 * ignored, or a custom loss over the examples.
 */
function accumulate(
  { ops, model, precision, microBatchSize, loss: custom, share }: StepContext,
  weights: NamedTensors,
  batch: CheckedBatch,
  key: Pass['key'],
  onGradient?: OnGradient,
): { loss: Tensor; gradients: NamedTensors } {
  const { inputs, labels, softLabels, counted } = batch;
  const examples = labels.shape[0]!;
  const ownMicroBatches = Math.ceil(examples / microBatchSize);
  // Micro-batches are numbered across all workers, so that each has noise of its own.
  const whole = custom === undefined ? counted : examples;
  const { rank, workers, counted: total } = share ?? { rank: 0, workers: 1, counted: whole };
  const microBatches = ownMicroBatches * workers;
  let sum: { loss: Tensor; gradients: NamedTensors } | undefined;
  for (let micro = 0; micro < ownMicroBatches; micro++) {
    const from = micro * microBatchSize;
    const to = Math.min(from + microBatchSize, examples);
    const part = ops.scope(() => {
      const inputTensor = rows(ops, inputs, inputs.dtype, from, to);
      const labelTensor = rows(ops, labels, 'i32', from, to);
      const softTensor = softLabels === undefined ? undefined : rows(ops, softLabels, 'f32', from, to);
      // One posterior sample per optimizer step, but independent dropout and rounding noise for each micro-batch.
      const noise = { ...key, sample: key.sample * microBatches + rank * ownMicroBatches + micro };
      const forward = { training: true, precision, key: noise };
      const lossOf: Parameters<typeof valueAndGradients>[2] = (tape, watched) => {
        if (custom !== undefined) {
          const given = { inputs: inputTensor, labels: labelTensor, softLabels: softTensor };
          const loss = custom(tape, watched, given, forward);
          return to - from === total ? loss : tape.multiply(loss, (to - from) / total);
        }
        const logits = model.forward(tape, watched, inputTensor, forward);
        checkClasses(batch, logits.shape.at(-1)!, 'the model has');
        const losses = rowLosses(tape, logits, labelTensor, softTensor, counted < labels.data.length);
        const own = ownMicroBatches === 1 ? counted : countedIn(labels, from, to);
        const loss = meanOfCounted(tape, losses, own);
        return own === total ? loss : tape.multiply(loss, own / total);
      };
      // Of several micro-batches, no gradient is complete before they are added.
      const options = ownMicroBatches === 1 ? { onGradient } : {};
      const { value, gradients } = valueAndGradients(ops, weights, lossOf, options);
      return { loss: value, gradients };
    });
    sum = {
      loss: sum === undefined ? part.loss : ops.add(sum.loss, part.loss),
      gradients: accumulateGradients(ops, sum?.gradients, part.gradients),
    };
  }
  return sum!;
}

/** Number of labels of the examples from `from` to `to` that are not ignored. */
function countedIn({ data, shape }: CheckedBatch['labels'], from: number, to: number): number {
  const width = data.length / shape[0]!;
  return data.subarray(from * width, to * width).reduce((count, label) => (label < 0 ? count : count + 1), 0);
}

function rows(
  ops: EagerOperations,
  { data, shape }: { readonly data: TensorData; readonly shape: readonly number[] },
  dtype: Tensor['dtype'],
  from: number,
  to: number,
): Tensor {
  const width = data.length / shape[0]!;
  return ops.fromData(data.subarray(from * width, to * width), [to - from, ...shape.slice(1)], dtype);
}

function sumAll(ops: EagerOperations, scalars: readonly Tensor[]): Tensor {
  return scalars.reduce((sum, scalar) => ops.add(sum, scalar));
}

/** A sum for each f32 tensor, which is NaN or infinite if any element is. */
function sumsOf(ops: EagerOperations, tensors: NamedTensors): Tensor[] {
  return Object.values(tensors)
    .filter(({ dtype }) => dtype === 'f32')
    .map((tensor) => ops.sum(tensor));
}

function inspectAll(inspect: Inspect | undefined, kind: string, tensors: NamedTensors): void {
  if (inspect === undefined) return;
  for (const [name, tensor] of Object.entries(tensors)) inspect(`${kind} ${name}`, tensor);
}
