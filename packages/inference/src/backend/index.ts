import { type Backend, isLmdError } from '@lmd/core';

/**
 * Opens the backend that suits where the program runs: in a browser WebGPU if it works there, otherwise the cpu; in
 * Node the cpu. For another choice, such as WebGPU in Node, open one of `@lmd/backends` yourself. Close it at the end.
 *
 * @throws LmdError `ENGINE_MISSING` if not even the cpu backend works here, which needs WebAssembly with SIMD.
 */
export async function chooseBackend(): Promise<Backend> {
  const { navigator, process } = globalThis as {
    readonly navigator?: { readonly gpu?: unknown };
    readonly process?: { readonly versions?: { readonly node?: string } };
  };
  const isNode = process?.versions?.node !== undefined;
  if (!isNode && navigator?.gpu !== undefined) {
    const { createWebgpuBackend } = await import('@lmd/backends/webgpu');
    const backend = await createWebgpuBackend().catch((error) => {
      // A browser may have WebGPU, and no graphics card that it works on.
      if (isLmdError(error, 'ENGINE_MISSING') || isLmdError(error, 'UNSUPPORTED')) return undefined;
      throw error;
    });
    if (backend !== undefined) return backend;
  }
  const { createCpuBackend } = await import('@lmd/backends/cpu');
  return createCpuBackend();
}
