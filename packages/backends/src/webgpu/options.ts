import { LmdError, refuseUnknownOptions } from '@lmd/core';
import type { TfjsModule } from '../tfjs/engine.js';
import type { Gpu, GpuDevice } from './gpu-types.js';

export interface WebgpuBackendOptions {
  /**
   * The `@tensorflow/tfjs-core` module, with `webgpu` as its current backend: runs on TensorFlow.js's own device and queue, so that
   * tensors can pass between the two without leaving the device (`fromTfjs`, `toTfjs`).
   */
  readonly tf?: TfjsModule;
  /** A device of yours, which `close()` leaves alive. */
  readonly device?: object;
  /**
   * Where to ask for a device: `navigator.gpu`, or `create([])` of the `webgpu` package. Default `navigator.gpu` where there is
   * one, and that package elsewhere.
   */
  readonly gpu?: object;
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Bytes that tensors may take together; beyond it an operation throws `BACKEND_FAILURE`, and changes nothing. */
  readonly memoryLimit?: number;
  /** Bytes of one buffer, at least 256: larger tensors are split. Default what the device binds at once. */
  readonly maxBindingBytes?: number;
  /**
   * Tensors of at most so many elements are drawn and updated together, many in one dispatch; 0: each by itself. Default 65,536,
   * beyond which copying a gradient to the others costs more than a dispatch.
   */
  readonly groupedElements?: number;
}

/** The default. */
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
