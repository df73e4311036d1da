import { createWebgpuBackend } from '@lmd/backends/webgpu';
import { describe, expect, it } from 'vitest';
import { backendConformance } from '../src/index.js';

backendConformance({ describe, it, expect }, { name: 'webgpu in a browser', create: () => createWebgpuBackend() });
