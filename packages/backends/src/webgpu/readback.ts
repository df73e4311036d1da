import { LmdError } from '@lmd/core';
import { recovery } from './device-failure.js';
import { type GpuBuffer, type GpuCommandEncoder, type GpuDevice, mapModeRead, usage } from './gpu-types.js';
import type { Storage } from './storage.js';

/** A copy of a storage's contents on its way back, recorded when it is made. */
export class Readback {
  readonly #device: GpuDevice;
  readonly #bytes: number;
  readonly #parts: readonly { readonly staging: GpuBuffer; readonly size: number }[];

  constructor(device: GpuDevice, encoder: GpuCommandEncoder, storage: Storage, pageBytes: number) {
    this.#device = device;
    this.#bytes = storage.bytes;
    this.#parts = storage.pages.map((page, i) => {
      const size = Math.min(pageBytes, storage.bytes - i * pageBytes);
      const staging = device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget, label: 'readback' });
      encoder.copyBufferToBuffer(page.gpu, storage.offset, staging, 0, size);
      return { staging, size };
    });
  }

  /** @param check throws if the device has reported an error */
  async contents(check: () => void): Promise<ArrayBuffer> {
    const target = new Uint8Array(this.#bytes);
    let at = 0;
    try {
      await Promise.all(this.#parts.map(({ staging }) => staging.mapAsync(mapModeRead)));
      for (const { staging, size } of this.#parts) {
        target.set(new Uint8Array(staging.getMappedRange(0, size)), at);
        staging.unmap();
        at += size;
      }
    } catch (cause) {
      // A lost device also rejects the mapping; the reason is reported later.
      await Promise.race([this.#device.lost, Promise.resolve().then(() => {})]);
      check();
      throw new LmdError('BACKEND_FAILURE', `The device could not read a tensor: ${cause}`, {
        subject: 'read',
        remedy: recovery,
        cause,
      });
    } finally {
      for (const { staging } of this.#parts) staging.destroy();
    }
    check();
    return target.buffer;
  }
}
