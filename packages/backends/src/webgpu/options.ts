import { LmdError, type OptionsOf, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import type { TfjsModule } from '../tfjs/engine.js';
import type { Gpu, GpuDevice } from './gpu-types.js';

const hasMethod = (given: unknown, method: string) =>
  typeof (given as Readonly<Record<string, unknown>> | null)?.[method] === 'function';

/** The options of `createWebgpuBackend`, declared once. */
export const webgpuBackendOptionTable = {
  /**
   * The module `@tensorflow/tfjs-core`, with `webgpu` as its current backend: runs on the device and queue of
   * TensorFlow.js, so that tensors can be exchanged without leaving the device (`fromTfjs`, `toTfjs`). An object.
   */
  tf: option.object<TfjsModule>({
    describe:
      'The module `@tensorflow/tfjs-core`, with `webgpu` as its current backend: runs on the device and queue of ' +
      'TensorFlow.js, so that tensors can be exchanged without leaving the device (`fromTfjs`, `toTfjs`).',
  }),
  /** An existing `GPUDevice`; `close()` does not destroy it. A GPUDevice. */
  device: option.value<object>({
    describe: 'An existing `GPUDevice`; `close()` does not destroy it.',
    allowed: 'a GPUDevice',
    check: (given) => hasMethod(given, 'createBuffer'),
  }),
  /**
   * Object from which a device is requested. Default: `navigator.gpu` if available, otherwise that of the package
   * `webgpu`. `navigator.gpu`, or `create([])` of the package `webgpu`.
   */
  gpu: option.value<object>({
    describe:
      'Object from which a device is requested. Default: `navigator.gpu` if available, otherwise that of the package ' +
      '`webgpu`.',
    allowed: '`navigator.gpu`, or `create([])` of the package `webgpu`',
    check: (given) => hasMethod(given, 'requestAdapter'),
  }),
  /**
   * Which of several graphics cards is requested. Default: the choice of the runtime. `low-power` or
   * `high-performance`.
   */
  powerPreference: option.choice(['low-power', 'high-performance'], {
    describe: 'Which of several graphics cards is requested. Default: the choice of the runtime.',
  }),
  /**
   * Maximum number of bytes of all tensors; an operation that exceeds it throws `BACKEND_FAILURE` and changes nothing.
   * Default: no limit but that of the device. Above 0.
   */
  memoryLimit: option.number({
    above: 0,
    describe:
      'Maximum number of bytes of all tensors; an operation that exceeds it throws `BACKEND_FAILURE` and changes ' +
      'nothing. Default: no limit but that of the device.',
  }),
  /**
   * Maximum number of bytes of one buffer; larger tensors are split. Default: the limit of the device. At least 256.
   */
  maxBindingBytes: option.number({
    atLeast: 256,
    describe: 'Maximum number of bytes of one buffer; larger tensors are split. Default: the limit of the device.',
  }),
  /**
   * Maximum number of elements of tensors that are sampled and updated together in one dispatch; 0: each separately.
   * Above the default, copying gradients together costs more than a dispatch. At least 0; default 65536.
   */
  groupedElements: option.number({
    atLeast: 0,
    default: 2 ** 16,
    describe:
      'Maximum number of elements of tensors that are sampled and updated together in one dispatch; 0: each ' +
      'separately. Above the default, copying gradients together costs more than a dispatch.',
  }),
} as const satisfies OptionTable;

export interface WebgpuBackendOptions extends OptionsOf<typeof webgpuBackendOptionTable> {}

export interface CheckedOptions extends Omit<ResolvedOptions<typeof webgpuBackendOptionTable>, 'device' | 'gpu'> {
  readonly device: GpuDevice | undefined;
  readonly gpu: Gpu | undefined;
}

export function checkedOptions(options: WebgpuBackendOptions): CheckedOptions {
  const checked = resolveOptions('createWebgpuBackend', webgpuBackendOptionTable, options);
  const given = (['tf', 'device', 'gpu'] as const).filter((name) => checked[name] !== undefined);
  if (given.length > 1) {
    throw new LmdError('INVALID_ARGUMENT', `createWebgpuBackend: ${given.join(' and ')} cannot be combined.`, {
      subject: given[1]!,
      value: checked[given[1]!],
      remedy: `Use ${given.join(' or ')}.`,
    });
  }
  return checked as CheckedOptions;
}
