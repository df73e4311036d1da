import { type Backend, LmdError, sizeOf } from '@lmd/core';
import type { Vit } from '@lmd/models';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { usualEvaluationBatch } from '../configuration/limits.js';
import type { Configuration } from '../configuration/schema.js';
import { geometryOf } from '../data/index.js';
import { memoryLimit } from '../engine/memory.js';
import type { Network } from './build-model.js';

/** Default maximum number of elements of the largest tensor of an evaluation: 256 MiB in f32. */
const usualElements = 2 ** 26;

/** Minimum number of tensors of the largest size in memory at once: an operand and a result. */
const held = 2;

interface LargestTensor {
  readonly what: string;
  /** Shape for a number of examples. */
  shape(examples: number): readonly number[];
}

/** The largest tensor that a forward pass stores as a whole. Attention probabilities are not stored as a whole. */
function largestTensor(architecture: Network, data: Configuration['data']): LargestTensor {
  if (architecture.architecture === 'module') return inputsOf(data);
  const { config } = architecture;
  const { width, mlpWidth } = config;
  const isText = architecture.architecture === 'gpt2';
  const tokens = isText
    ? 'length' in data
      ? data.length
      : architecture.config.contextLength
    : (architecture.config.imageSize / architecture.config.patchSize) ** 2 + 1;
  const logits: LargestTensor = isText
    ? { what: 'logits', shape: (examples) => [examples * tokens, architecture.config.vocabularySize] }
    : { what: 'logits', shape: (examples) => [examples, architecture.config.classes] };
  const candidates: readonly LargestTensor[] = [
    logits,
    { what: 'features of an MLP', shape: (examples) => [examples, tokens, mlpWidth] },
    { what: 'queries, keys and values', shape: (examples) => [examples, tokens, 3 * width] },
    ...(isText ? [] : [imagesOf(architecture.config)]),
  ];
  return candidates.reduce((largest, other) => (sizeOf(other.shape(1)) > sizeOf(largest.shape(1)) ? other : largest));
}

/** The inputs, of a model of a third party, whose other tensors are not known. */
function inputsOf(data: Configuration['data']): LargestTensor {
  const geometry = geometryOf(data);
  const shape =
    geometry.kind === 'tokens'
      ? [geometry.length]
      : geometry.kind === 'images'
        ? [geometry.imageSize, geometry.imageSize, geometry.channels]
        : geometry.inputShape;
  return { what: 'inputs', shape: (examples) => [examples, ...shape] };
}

function imagesOf({ imageSize, channels }: Vit['config']): LargestTensor {
  return { what: 'images', shape: (examples) => [examples, imageSize, imageSize, channels] };
}

/** Maximum number of examples, by the backend's limit of elements and by its memory. */
function most(largest: LargestTensor, backend: Backend, name: BackendChoice): number {
  const elements = Math.min(backend.supports.maxElements, memoryLimit(name) / 4 / held);
  return Math.floor(elements / sizeOf(largest.shape(1)));
}

/**
 * Batch size of evaluations: the configured one, or at most 250 examples such that the largest tensor of the model has
 * a moderate size.
 *
 * @param examples size of the evaluated data set, which bounds the batch size.
 * @throws LmdError `INVALID_ARGUMENT` if the configured size does not fit into the backend.
 */
export function evaluationBatchSize(
  { evaluation, backend: name, data }: Pick<Configuration, 'evaluation' | 'backend' | 'data'>,
  architecture: Network,
  backend: Backend,
  examples: number,
): number {
  const largest = largestTensor(architecture, data);
  const limit = Math.max(1, most(largest, backend, name));
  if (evaluation.batchSize === undefined) {
    const usual = Math.floor(Math.min(usualElements, memoryLimit(name) / 64) / sizeOf(largest.shape(1)));
    return Math.max(1, Math.min(usualEvaluationBatch, usual, limit, examples));
  }
  refuseAbove('evaluation.batchSize', evaluation.batchSize, examples, limit, largest, backend);
  return evaluation.batchSize;
}

/**
 * Checks that the data has at least one batch, and that a (micro-)batch fits into the backend.
 *
 * @param examples size of the training data.
 * @throws LmdError `INVALID_ARGUMENT` naming `batchSize` or `microBatchSize`.
 */
export function checkTrainingBatch(
  { batchSize, microBatchSize, backend: name, data }: Configuration,
  architecture: Network,
  backend: Backend,
  examples: number,
): void {
  if (batchSize > examples) {
    throw new LmdError('INVALID_ARGUMENT', `batchSize is ${batchSize}, but there are ${examples} training examples.`, {
      subject: 'batchSize',
      value: batchSize,
      remedy: `Use ${examples} or less, or a smaller data.validation.`,
    });
  }
  const largest = largestTensor(architecture, data);
  const limit = most(largest, backend, name);
  const key = microBatchSize === undefined ? 'batchSize' : 'microBatchSize';
  refuseAbove(key, Math.min(batchSize, microBatchSize ?? batchSize), batchSize, limit, largest, backend);
}

function refuseAbove(
  key: string,
  value: number,
  examples: number,
  limit: number,
  { what, shape }: LargestTensor,
  backend: Backend,
): void {
  const atOnce = Math.min(value, examples);
  if (atOnce <= limit) return;
  const large = shape(atOnce);
  const remedy =
    limit < 1
      ? 'Even one example does not fit: use a smaller model, or another backend.'
      : `Use ${limit} or less${key === 'batchSize' ? ', or set microBatchSize' : ''}.`;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `${key} is ${value}, but the ${what} of ${atOnce} examples, [${large.join(', ')}], do not fit into backend "${backend.name}".`,
    { subject: key, value, remedy },
  );
}
