import { createWebgpuBackend, type WebgpuBackend } from '@lmd/backends/webgpu';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

// Dawn, in this process. In a browser the same suite runs by `node scripts/browser-tests.mjs`.
let backend: WebgpuBackend | undefined;
let reason = '';
try {
  backend = await createWebgpuBackend();
} catch (error) {
  if (!isLmdError(error, 'ENGINE_MISSING')) throw error;
  reason = error.message;
}

if (backend === undefined) it.skip(`webgpu: ${reason}`, () => {});
else {
  const opened = [backend];
  const create = async () => opened.pop() ?? (await createWebgpuBackend());
  backendConformance({ describe, it, expect }, { name: 'webgpu', create });
}
