import { createWebgpuBackend, type WebgpuBackend, type WebgpuBackendOptions } from '@lmd/backends/webgpu';
import { isLmdError } from '@lmd/core';

/** Why there is no WebGPU on this machine; undefined where there is. */
export const missingWebgpu: string | undefined = await createWebgpuBackend().then(
  (backend) => {
    backend.close();
    return undefined;
  },
  (error: unknown) => {
    if (!isLmdError(error, 'ENGINE_MISSING')) throw error;
    return error.message;
  },
);

/**
 * Dawn in this process, which aborts when its entry point is collected: it is held for as long as the process lives.
 */
export async function dawn(): Promise<{ requestAdapter(): Promise<DawnAdapter> }> {
  const { create } = (await import('webgpu')) as unknown as { create(flags: string[]): never };
  entryPoint ??= create([]);
  return entryPoint;
}

let entryPoint: { requestAdapter(): Promise<DawnAdapter> } | undefined;

interface DawnAdapter {
  requestDevice(descriptor?: object): Promise<DawnDevice>;
}

export interface DawnDevice {
  readonly limits: object;
  destroy(): void;
  createBuffer(descriptor: object): object;
  createShaderModule(descriptor: object): object;
}

/** A device of the test's own, with the limits of the specification, or some of them lower still. */
export async function openDevice(lower: { readonly [limit: string]: number } = {}): Promise<DawnDevice> {
  const gpu = await dawn();
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice();
  if (Object.keys(lower).length === 0) return device;
  const limits = new Proxy(device.limits, {
    get: (target, name) => lower[name as string] ?? Reflect.get(target, name, target),
  });
  return new Proxy(device, {
    get(target, name) {
      if (name === 'limits') return limits;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const opened: WebgpuBackend[] = [];

export async function openWebgpu(options?: WebgpuBackendOptions): Promise<WebgpuBackend> {
  const backend = await createWebgpuBackend(options);
  opened.push(backend);
  return backend;
}

/** Closes every backend that the file's tests have opened. */
export function closeAll(): void {
  for (const backend of opened.splice(0)) backend.close();
}
