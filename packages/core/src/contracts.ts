import { type Backend, backendSpecVersion, primitiveNames } from './backend.js';
import { checkContractVersion, contractOf, ofMaker, remedyOfCopies } from './contract-version.js';
import { describeValue, LmdError } from './errors.js';
import { fusedKernelNames } from './fused-kernels.js';
import { thisCore } from './made-by.js';
import { type Model, modelSpecVersion } from './model.js';
import { eagerOperationNames, operationNames } from './operation-names.js';
import { type EagerOperations, type Operations, operationsSpecVersion } from './operations.js';
import { type Optimizer, optimizerSpecVersion } from './optimizers/optimizer.js';

/**
 * Arguments such as backends and models are checked by their structure before anything runs, so that the error names
 * the mistake: an object of another kind, a factory that was not called, a promise that was not awaited, a missing
 * member.
 */
interface Contract {
  /** With its article: `a backend`. */
  readonly what: string;
  /** How to get one. */
  readonly remedy: string;
}

/** Names for the errors of a check. */
export interface CheckOptions {
  /** Package that receives the object, with its version: `@lmd/training 0.2.0`. Default: this package. */
  readonly receiver?: string | undefined;
  /** Argument that holds the object: `groups[1].optimizer`. Default: `backend`, `ops`, `optimizer` or `model`. */
  readonly subject?: string;
}

/** @throws LmdError `INVALID_ARGUMENT` if it is not an object, naming the likely mistake */
function checkObject(
  side: string,
  value: unknown,
  { what, remedy }: Contract,
): asserts value is Record<string, unknown> {
  const refuse = (shown: string, advice: string): LmdError =>
    new LmdError('INVALID_ARGUMENT', `${side} is ${shown}.`, { subject: side, value, remedy: advice });
  if (typeof value === 'function')
    throw refuse('a function', `Call it: ${side} must be ${what}, not a function that creates one.`);
  if (typeof value !== 'object' || value === null) throw refuse(describeValue(value), remedy);
  if (typeof (value as Partial<Promise<unknown>>).then === 'function') {
    throw refuse('a promise', `Await it: ${side} must be ${what}.`);
  }
}

/** @throws LmdError with `code`, naming the members that are not functions */
function checkFunctions(
  owner: string,
  subject: string,
  object: object,
  names: readonly string[],
  code: 'INVALID_ARGUMENT' | 'UNSUPPORTED',
  remedy: string,
): void {
  const missing = names.filter((name) => typeof (object as Record<string, unknown>)[name] !== 'function');
  if (missing.length === 0) return;
  throw new LmdError(code, `${owner} lacks ${missing.join(', ')}.`, { subject, value: missing, remedy });
}

function invalid(owner: string, subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${owner} has ${subject} = ${describeValue(value)}.`, {
    subject,
    value,
    remedy,
  });
}

/** `"lion" of @lmd/core 0.1.0` */
const nameOf = (value: { readonly name?: unknown; readonly madeBy?: string }): string =>
  `${typeof value.name === 'string' ? `"${value.name}"` : 'without a name'}${ofMaker(value)}`;

const backendContract: Contract = {
  what: 'a backend',
  remedy: 'Pass a backend, such as the result of await createCpuBackend() of @lmd/backends/cpu.',
};

/**
 * Checks that an object is a backend of this contract: its version, its primitives, `memory`, `supports` and `fused`.
 *
 * @throws LmdError `INVALID_ARGUMENT` for another object or a member that is wrong; `UNSUPPORTED` for another version
 *   or missing primitives
 */
export function checkBackend(backend: Backend, { receiver, subject = 'backend' }: CheckOptions = {}): void {
  checkObject(subject, backend, backendContract);
  const given: Backend & Record<string, unknown> = backend;
  if (contractOf(given) !== 'backend' && isLikeOperations(given)) {
    throw new LmdError('INVALID_ARGUMENT', `${subject} is an object of operations.`, {
      subject,
      value: backend,
      remedy: 'Pass the backend itself, ops.backend.',
    });
  }
  const owner = `Backend ${nameOf(given)}`;
  if (given.specVersion === undefined) {
    throw new LmdError('UNSUPPORTED', `${owner} has no specVersion.`, {
      subject: 'specVersion',
      value: undefined,
      remedy: `Add specVersion: '${backendSpecVersion}', the version of the contract that it implements.`,
    });
  }
  const { remedy } = backendContract;
  checkContractVersion(given, { owner, specVersion: backendSpecVersion, definedBy: thisCore, receiver, remedy });
  const needed = 'A backend must implement all primitives; only the kernels of `fused` are optional.';
  checkFunctions(owner, subject, given, primitiveNames, 'UNSUPPORTED', needed);
  for (const text of ['name', 'device'] as const) {
    if (typeof given[text] !== 'string') throw invalid(owner, text, given[text], 'It must be a string.');
  }
  if (typeof given.memory !== 'function') {
    throw invalid(owner, 'memory', given.memory, 'It must be a function that returns { tensors, bytes }.');
  }
  const { supports, fused, close } = given;
  if (typeof supports !== 'object' || supports === null) {
    throw invalid(owner, 'supports', supports, 'It must be { maxElements, subnormals }.');
  }
  if (!(supports.maxElements >= 1)) {
    throw invalid(owner, 'supports.maxElements', supports.maxElements, 'It must be a number of elements, at least 1.');
  }
  if (typeof supports.subnormals !== 'boolean') {
    throw invalid(owner, 'supports.subnormals', supports.subnormals, 'It must be true or false.');
  }
  if (typeof fused !== 'object' || fused === null) {
    throw invalid(owner, 'fused', fused, 'It must be an object of kernels, {} for none.');
  }
  for (const name of fusedKernelNames) {
    if (fused[name] === undefined || typeof fused[name] === 'function') continue;
    throw invalid(owner, `fused.${name}`, fused[name], 'It must be a function, or absent.');
  }
  if (close !== undefined && typeof close !== 'function') {
    throw invalid(owner, 'close', close, 'It must be a function, or absent.');
  }
}

/** Operations of every version: enough to distinguish operations from other objects. */
const telling = ['fromData', 'read', 'matmul', 'add', 'softmax', 'scope', 'keep', 'dispose', 'isDisposed'];

function isLikeOperations(value: object): boolean {
  return telling.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

/**
 * Checks that an object is what `createOperations` makes, on a backend of this contract.
 *
 * @throws LmdError `INVALID_ARGUMENT`, and as `checkBackend`
 */
export function checkOperations(ops: EagerOperations, options: CheckOptions = {}): void {
  checkOperationsOf(ops, eagerOperationNames, options);
}

/**
 * Checks that an object is what `createOperations` makes, or the operations of a tape: what a model runs on.
 *
 * @throws LmdError `INVALID_ARGUMENT`, and as `checkBackend`
 */
export function checkModelOperations(ops: Operations, options: CheckOptions = {}): void {
  checkOperationsOf(ops, operationNames, options);
}

function checkOperationsOf(ops: Operations, names: readonly string[], options: CheckOptions): void {
  const { receiver, subject = 'ops' } = options;
  const remedy = 'Pass createOperations(backend).';
  checkObject(subject, ops, { what: 'operations', remedy });
  if (!isLikeOperations(ops)) {
    const isBackend = contractOf(ops) === 'backend';
    throw new LmdError('INVALID_ARGUMENT', `${subject} is ${isBackend ? 'a backend' : describeValue(ops)}.`, {
      subject,
      value: ops,
      remedy: isBackend ? 'Pass it as `backend`, or createOperations(backend) as `ops`.' : remedy,
    });
  }
  const owner = `${subject}${ofMaker(ops)}`;
  checkContractVersion(ops, { owner, specVersion: operationsSpecVersion, definedBy: thisCore, receiver, remedy });
  // Another copy of this package may know fewer operations, and a tape has no optimizer kernels.
  const advice = remedyOfCopies(ops, thisCore) ?? `${remedy} The operations of a tape cannot be used here.`;
  checkFunctions(owner, subject, ops, names, 'INVALID_ARGUMENT', advice);
  checkBackend(ops.backend, { ...(receiver === undefined ? {} : { receiver }), subject: `${subject}.backend` });
}

/**
 * Checks that an object is an optimizer: a name, `samples`, and the functions of `Optimizer`.
 *
 * @throws LmdError `INVALID_ARGUMENT`, naming what is missing
 */
export function checkOptimizer(optimizer: Optimizer, { receiver, subject = 'optimizer' }: CheckOptions = {}): void {
  const remedy = 'Pass an optimizer, such as lmd() or adamw() of @lmd/core.';
  checkObject(subject, optimizer, { what: 'an optimizer', remedy });
  const owner = `The optimizer ${nameOf(optimizer)}`;
  checkContractVersion(optimizer, { owner, specVersion: optimizerSpecVersion, definedBy: thisCore, receiver, remedy });
  checkFunctions(owner, subject, optimizer, ['init', 'draw', 'update', 'weights'], 'INVALID_ARGUMENT', remedy);
  checkName(owner, optimizer);
  if (!Number.isInteger(optimizer.samples) || optimizer.samples < 1) {
    throw invalid(
      owner,
      'samples',
      optimizer.samples,
      'It must be an integer of at least 1, the number of passes per step.',
    );
  }
}

/**
 * Checks that an object is a model: a name, the shapes of its `parameters`, `initialize` and `forward`.
 *
 * @throws LmdError `INVALID_ARGUMENT`, naming what is missing
 */
export function checkModel(model: Model, { receiver, subject = 'model' }: CheckOptions = {}): void {
  const remedy = 'Pass a model, such as vit({ … }) or gpt2({ … }) of @lmd/models.';
  checkObject(subject, model, { what: 'a model', remedy });
  const owner = `The model ${nameOf(model)}`;
  checkContractVersion(model, { owner, specVersion: modelSpecVersion, definedBy: thisCore, receiver, remedy });
  checkFunctions(owner, subject, model, ['initialize', 'forward'], 'INVALID_ARGUMENT', remedy);
  checkName(owner, model);
  const { parameters } = model;
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw invalid(owner, 'parameters', parameters, 'It must be a record of { shape } by weight name.');
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    const shape: unknown = parameter?.shape;
    if (Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) continue;
    throw invalid(
      owner,
      `parameters[${JSON.stringify(name)}].shape`,
      shape,
      'It must be an array of non-negative integers.',
    );
  }
}

function checkName(owner: string, value: { readonly name: string }): void {
  if (typeof value.name === 'string' && value.name !== '') return;
  throw invalid(owner, 'name', value.name, 'It must be a string: checkpoints are compared by it.');
}
