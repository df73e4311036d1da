import type { Backend } from './backend.js';
import { checkBackend } from './contracts.js';
import { describeValue, LmdError } from './errors.js';
import { thisCore } from './made-by.js';
import { arrangementOperations } from './operations/arrangement.js';
import { blockCodeOperations } from './operations/block-codes.js';
import { blockProductOperations } from './operations/block-products.js';
import { codedRowOperations } from './operations/coded-rows.js';
import { createContext } from './operations/context.js';
import { creationOperations } from './operations/creation.js';
import { elementwiseOperations } from './operations/elementwise.js';
import { layerOperations } from './operations/layers.js';
import { matmulOperation } from './operations/matmul.js';
import { optimizerKernels } from './operations/optimizer-kernels.js';
import { packedMatrixOperations } from './operations/packed-matrices.js';
import { quantizationOperations } from './operations/quantization.js';
import { reductionOperations } from './operations/reductions.js';
import { checkArray } from './operations/shapes.js';
import { type EagerOperations, operationsSpecVersion } from './operations.js';
import type { Tensor } from './tensor.js';

/**
 * The checked operations of a backend. Each call owns the tensors that are created through it and has its own scopes:
 * use one object for everything that shares tensors.
 *
 * Throws `UNSUPPORTED` for a backend of another version of the contract or without a primitive, and `INVALID_ARGUMENT`
 * for an object that is not a backend or has no `memory`, `supports` or `fused` (`checkBackend`).
 */
export function createOperations(backend: Backend): EagerOperations {
  checkBackend(backend);
  const context = createContext(backend);
  const { lifetimes, check } = context;
  const scope = <T>(body: () => T): T => {
    checkFunction('scope', 'body', body);
    return lifetimes.scope(body);
  };

  const ops: EagerOperations = {
    specVersion: operationsSpecVersion,
    madeBy: thisCore,
    backend,
    ...creationOperations(context),
    ...elementwiseOperations(context),
    ...reductionOperations(context),
    ...arrangementOperations(context),
    matmul: matmulOperation(context),
    ...layerOperations(context, () => ops),
    ...quantizationOperations(context, () => ops),
    ...blockProductOperations(context, () => ops),
    ...packedMatrixOperations(context, () => ops),
    ...codedRowOperations(context, () => ops),
    ...optimizerKernels(context, () => ops),
    ...blockCodeOperations(context, () => ops),

    customGradient(inputs, gradient) {
      checkArray('customGradient', 'inputs', inputs);
      for (const input of inputs) check('customGradient', input);
      checkFunction('customGradient', 'forward', gradient?.forward);
      if (gradient.backward !== 'recompute') checkFunction('customGradient', 'backward', gradient.backward);
      return scope(() => {
        // Nothing is differentiated here, so nothing is kept.
        const output = gradient.forward(ops, inputs, () => {});
        check('customGradient', output);
        // The result is a handle of its own also where `forward` hands on what it was given.
        return inputs.includes(output) ? ops.reshape(output, output.shape) : output;
      });
    },

    scope,
    keep(x) {
      lifetimes.keep(x);
      return x;
    },
    adopt(x) {
      if (!isTensor(x)) throw lifetimes.problem('adopt', x);
      return context.track('adopt', x);
    },
    dispose(x) {
      const tensors = isRecord(x) ? Object.values(x) : [x as Tensor];
      for (const tensor of tensors) lifetimes.dispose('dispose', tensor);
    },
    isDisposed: (x) => lifetimes.isDisposed(x),
    memory: () => lifetimes.memory(),
    resetPeakMemory: () => lifetimes.resetPeak(),
  };
  return ops;
}

function checkFunction(operation: string, name: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy: 'Pass a function.',
  });
}

const isTensor = (x: unknown): x is Tensor =>
  typeof x === 'object' &&
  x !== null &&
  Array.isArray((x as Partial<Tensor>).shape) &&
  typeof (x as Partial<Tensor>).dtype === 'string';

/** Whether `x` is a list or a record of tensors. A disposed tensor is neither, although it may be a plain object. */
function isRecord(x: unknown): x is Readonly<Record<string, Tensor>> {
  return typeof x === 'object' && x !== null && typeof (x as Partial<Tensor>).dtype !== 'string';
}
