import {
  checkOperations,
  type EagerOperations,
  LmdError,
  type NamedTensors,
  type Operations,
  type Tensor,
} from '@lmd/core';
import { backwardPass, type OnGradient } from './backward-pass.js';
import { tapeMarker } from './made-by.js';
import { isTensor } from './node.js';
import { createRecorder, type Recorder } from './recorder.js';
import { custom } from './rules/custom.js';
import { elementwise } from './rules/elementwise.js';
import { fused } from './rules/fused.js';
import { indexing } from './rules/indexing.js';
import { matrixProduct } from './rules/matmul.js';
import { plain } from './rules/plain.js';
import { reductions } from './rules/reductions.js';
import { shape } from './rules/shape.js';

/** Records operations on watched tensors, for one backward pass. */
export interface Tape {
  /**
   * The operations of the backend, which record if an input is tracked. Use its `scope` and `dispose` for
   * intermediates: they immediately free tensors that no gradient needs, and the backward pass frees the others after
   * use.
   */
  readonly ops: Operations;
  /** Tracks an f32 tensor, which the caller owns and must not free before `gradients` returns. Returns `x`. */
  watch(x: Tensor): Tensor;
  /**
   * d loss / d x for each named tensor (watched, or computed from watched ones), with its shape; zeros if the scalar
   * `loss` does not depend on it. The caller owns the gradients, which belong to the current scope, with one handle per
   * name. Consumes the tape: a second call throws `INVALID_ARGUMENT`. A saved tensor that was freed without the tape
   * throws `TENSOR_DISPOSED`.
   *
   * With `dy`, `loss` may have any shape, which must be that of `dy`, and the results are vector-Jacobian products.
   * `onGradient` is called with each gradient as soon as it is complete, while the backward pass goes on; not for one
   * that is zero since the loss does not depend on it. It must not free the gradient.
   */
  gradients(loss: Tensor, of: NamedTensors, dy?: Tensor, onGradient?: OnGradient): NamedTensors;
  /** Frees the saved tensors and consumes the tape. Can be called repeatedly. */
  dispose(): void;
}

/**
 * Creates a reverse-mode tape on `ops`. It needs only the forward operations of the backend and core's gradient
 * kernels.
 *
 * @throws LmdError `INVALID_ARGUMENT` if `ops` was not created by `createOperations`, and as `checkBackend`
 */
export function createTape(ops: EagerOperations): Tape {
  checkOperations(ops, { receiver: tapeMarker.madeBy });
  const recorder = createRecorder(ops);
  let consumed = false;

  const checkUsable = (subject: string): void => {
    if (!consumed) return;
    throw new LmdError('INVALID_ARGUMENT', `${subject} was called on a tape that is already consumed.`, {
      subject,
      remedy: 'A tape computes gradients once. Create a new one with createTape for each forward pass.',
    });
  };

  return {
    ops: recordingOperations(recorder),
    watch(x) {
      checkUsable('tape.watch');
      checkFloat('tape.watch', x);
      recorder.checkAlive([x]);
      recorder.watch(x);
      return x;
    },
    gradients(loss, of, dy, onGradient) {
      checkUsable('tape.gradients');
      checkFloat('tape.gradients', loss);
      if (dy !== undefined) checkUpstream(loss, dy);
      else if (loss.shape.length > 0) {
        throw new LmdError('SHAPE_MISMATCH', `A loss must be a scalar, but this one has shape [${loss.shape}].`, {
          subject: 'loss',
          value: loss.shape,
          remedy: 'Reduce it first, with ops.mean or ops.sum.',
        });
      }
      for (const [name, x] of Object.entries(of)) {
        if (recorder.isTracked(x)) continue;
        throw new LmdError('INVALID_ARGUMENT', `The gradient of "${name}" was requested, but it is not on the tape.`, {
          subject: name,
          value: x.shape,
          remedy: 'Call tape.watch on it before the forward pass.',
        });
      }
      consumed = true;
      try {
        return backwardPass(recorder, loss, of, { dy, onGradient });
      } finally {
        recorder.clear();
      }
    },
    dispose() {
      consumed = true;
      recorder.clear();
    },
  };
}

function recordingOperations(recorder: Recorder): Operations {
  return {
    ...tapeMarker,
    ...plain(recorder),
    ...elementwise(recorder),
    ...reductions(recorder),
    ...matrixProduct(recorder),
    ...shape(recorder),
    ...indexing(recorder),
    ...fused(recorder),
    ...custom(recorder, createTape),
    scope: recorder.scope,
    keep: recorder.keep,
    isDisposed: recorder.isFreed,
    dispose(x) {
      for (const tensor of isTensor(x) ? [x] : Object.values(x)) recorder.dispose(tensor);
    },
  };
}

function checkUpstream(output: Tensor, dy: Tensor): void {
  checkFloat('tape.gradients', dy);
  if (dy.shape.join() === output.shape.join()) return;
  throw new LmdError('SHAPE_MISMATCH', `dy has shape [${dy.shape}], but the output has shape [${output.shape}].`, {
    subject: 'dy',
    value: dy.shape,
    remedy: 'Use an upstream gradient with the shape of the output.',
  });
}

function checkFloat(subject: string, x: Tensor): void {
  if (x.dtype === 'f32') return;
  throw new LmdError('DTYPE_MISMATCH', `${subject} takes f32 tensors, but this one is ${x.dtype}.`, {
    subject,
    value: x.dtype,
    remedy: 'Gradients are defined for f32 tensors only.',
  });
}
