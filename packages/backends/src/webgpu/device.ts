import { LmdError } from '@lmd/core';
import type { Gpu, GpuAdapter, GpuDevice } from './gpu-types.js';

const nodeRemedy =
  'In Node, install Dawn with `npm install webgpu`; it needs a Vulkan driver (or Metal, or Direct3D 12). In a browser, use one with ' +
  'WebGPU, on a page from https or localhost. Without a GPU, use @lmd/backends/cpu.';

/** Dawn's entry point, held for as long as the process lives: Dawn aborts it when the entry point is collected, after its devices are gone too. */
let entryPoint: Gpu | undefined;

/** `navigator.gpu` where there is one, and Dawn from the optional package `webgpu` elsewhere. */
export async function findGpu(): Promise<Gpu> {
  const { navigator } = globalThis as { navigator?: { gpu?: Gpu } };
  if (navigator?.gpu !== undefined) return navigator.gpu;
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node !== undefined) {
    // Named by a variable, so that bundlers for browsers do not look for it.
    const name = 'webgpu';
    try {
      const dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
        create(flags: string[]): Gpu;
      };
      entryPoint ??= dawn.create([]);
      return entryPoint;
    } catch (cause) {
      throw new LmdError('ENGINE_MISSING', `The package webgpu could not be loaded: ${cause}`, {
        subject: 'webgpu',
        remedy: nodeRemedy,
        cause,
      });
    }
  }
  throw new LmdError('ENGINE_MISSING', 'There is no WebGPU here: navigator.gpu is undefined.', {
    subject: 'navigator.gpu',
    remedy: nodeRemedy,
  });
}

/** A device with the largest limits that its adapter has. */
export async function requestDevice(
  gpu: Gpu,
  powerPreference: 'low-power' | 'high-performance' | undefined,
): Promise<{ device: GpuDevice; text: string }> {
  let adapter: GpuAdapter | null;
  try {
    adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  } catch (cause) {
    throw new LmdError('ENGINE_MISSING', `WebGPU could not look for an adapter: ${cause}`, {
      subject: 'adapter',
      remedy: nodeRemedy,
      cause,
    });
  }
  if (adapter === null) {
    throw new LmdError('ENGINE_MISSING', 'WebGPU has no adapter here: no GPU with a driver was found.', {
      subject: 'adapter',
      value: null,
      remedy: nodeRemedy,
    });
  }
  const { limits } = adapter;
  const requiredLimits = {
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
  };
  let device: GpuDevice;
  try {
    device = await adapter.requestDevice({ requiredLimits });
  } catch (cause) {
    throw new LmdError('ENGINE_MISSING', `The adapter gave no device: ${cause}`, {
      subject: 'device',
      remedy: nodeRemedy,
      cause,
    });
  }
  return { device, text: describeAdapter(adapter.info) };
}

export function describeAdapter(info: GpuAdapter['info']): string {
  const parts = [info?.description, info?.vendor, info?.architecture].filter(
    (part) => part !== undefined && part !== '',
  );
  return parts.length > 0 ? [...new Set(parts)].join(', ') : 'unnamed adapter';
}

/** The least limits with which every kernel runs on tensors of one buffer each. They are WebGPU's defaults. */
export function checkLimits({ limits }: GpuDevice): void {
  const needed = {
    maxStorageBuffersPerShaderStage: 8,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupStorageSize: 16_384,
  } as const;
  for (const [name, least] of Object.entries(needed)) {
    const value = limits[name as keyof typeof needed];
    if (value >= least) continue;
    throw new LmdError('UNSUPPORTED', `The device's ${name} is ${value}, and the kernels need ${least}.`, {
      subject: name,
      value,
      remedy: `Request the device with requiredLimits: { ${name}: ${least} }, or let createWebgpuBackend request one.`,
    });
  }
}
