import { LmdError } from '@lmd/core';
import type { GpuDevice } from './gpu-types.js';

export const recovery = 'Make a new backend with createWebgpuBackend, and resume from the last checkpoint.';

/** Errors that a device has reported. After the first, its results are invalid. */
export class DeviceFailure {
  readonly #device: GpuDevice;
  readonly #onError = (event: { readonly error: Error }) => this.#note(event.error);
  #error: LmdError | undefined;

  constructor(device: GpuDevice) {
    this.#device = device;
    device.addEventListener?.('uncapturederror', this.#onError);
    void device.lost.then(({ reason, message }) => {
      this.#error = new LmdError('BACKEND_FAILURE', `The WebGPU device was lost (${reason ?? 'unknown'}): ${message}`, {
        subject: 'device',
        value: reason,
        remedy: recovery,
      });
    });
  }

  get error(): LmdError | undefined {
    return this.#error;
  }

  /** No longer listens to errors. */
  stop(): void {
    this.#device.removeEventListener?.('uncapturederror', this.#onError);
  }

  #note(error: Error): void {
    if (this.#error !== undefined) return;
    const memory = error.constructor.name === 'GPUOutOfMemoryError';
    this.#error = new LmdError(
      'BACKEND_FAILURE',
      `${memory ? 'The WebGPU device is out of memory' : 'The WebGPU device reported an error'}: ${error.message}`,
      {
        subject: memory ? 'memory' : 'device',
        remedy: memory ? `Use a smaller batch or model. ${recovery}` : recovery,
        cause: error,
      },
    );
  }
}
