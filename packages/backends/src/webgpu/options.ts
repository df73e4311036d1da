import { LmdError, refuseUnknownOptions } from '@lmd/core';
import type { TfjsModule } from '../tfjs/engine.js';
import type { Gpu, GpuDevice } from './gpu-types.js';

export interface WebgpuBackendOptions {
  /**
   * The module `@tensorflow/tfjs-core`, with `webgpu` as its current backend: runs on the device and queue of
   * TensorFlow.js, so that tensors can be exchanged without leaving the device (`fromTfjs`, `toTfjs`).
   */
  readonly tf?: TfjsModule;
  /** An existing `GPUDevice`; `close()` does not destroy it. */
  readonly device?: object;
  /**
   * Object from which a device is requested: `navigator.gpu`, or `create([])` of the package `webgpu`. Default:
   * `navigator.gpu` if available, otherwise that package.
   */
  readonly gpu?: object;
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * Maximum number of bytes of all tensors; an operation that exceeds it throws `BACKEND_FAILURE` and changes nothing.
   */
  readonly memoryLimit?: number;
  /**
   * Maximum number of bytes of one buffer, at least 256; larger tensors are split. Default: the limit of the device.
   */
  readonly maxBindingBytes?: number;
  /**
   * Maximum number of elements of tensors that are sampled and updated together in one dispatch; 0: each separately.
   * Default: 65,536; above, copying gradients together costs more than a dispatch.
   */
  readonly groupedElements?: number;
}

/** Default of the option. */
export const groupedElements = 2 ** 16;

export interface CheckedOptions extends Omit<WebgpuBackendOptions, 'device' | 'gpu'> {
  readonly device?: GpuDevice;
  readonly gpu?: Gpu;
}

const known = ['tf', 'device', 'gpu', 'powerPreference', 'memoryLimit', 'maxBindingBytes', 'groupedElements'];

export function checkedOptions(options: WebgpuBackendOptions): CheckedOptions {
  refuseUnknownOptions('createWebgpuBackend', options, known);
  const given = (['tf', 'device', 'gpu'] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw invalid(given[1]!, options[given[1]!], `Use ${given.join(' or ')}, not both.`);
  const { device, gpu, powerPreference, memoryLimit, maxBindingBytes } = options;
  if (device !== undefined && typeof (device as Partial<GpuDevice>).createBuffer !== 'function') {
    throw invalid('device', device, 'Pass a GPUDevice.');
  }
  if (gpu !== undefined && typeof (gpu as Partial<Gpu>).requestAdapter !== 'function') {
    throw invalid('gpu', gpu, 'Pass navigator.gpu, or create([]) of the package webgpu.');
  }
  if (powerPreference !== undefined && powerPreference !== 'low-power' && powerPreference !== 'high-performance') {
    throw invalid('powerPreference', powerPreference, 'Use "low-power" or "high-performance".');
  }
  if (memoryLimit !== undefined && !(memoryLimit > 0)) {
    throw invalid('memoryLimit', memoryLimit, 'Use a positive number of bytes.');
  }
  if (maxBindingBytes !== undefined && !(maxBindingBytes >= 256)) {
    throw invalid('maxBindingBytes', maxBindingBytes, 'Use a number of bytes of at least 256.');
  }
  if (options.groupedElements !== undefined && !(options.groupedElements >= 0)) {
    throw invalid('groupedElements', options.groupedElements, 'Use a number of elements of at least 0.');
  }
  return options as CheckedOptions;
}

function invalid(subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `createWebgpuBackend: ${subject} is ${describe(value)}.`, {
    subject,
    value,
    remedy,
  });
}

function describe(value: unknown): string {
  return typeof value === 'object' ? 'an object' : String(value);
}
