import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { missingWebgpu } from './webgpu-engine.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.skipIf(missingWebgpu !== undefined)(
  `runs the example of the WebGPU backend (${missingWebgpu ?? 'Dawn'})`,
  async () => {
    const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]!);
    const example = examples.find((text) => text.includes('createWebgpuBackend'))!;
    const folder = new URL('../.vitest/', import.meta.url);
    mkdirSync(folder, { recursive: true });
    const file = new URL('readme-example-webgpu.ts', folder);
    writeFileSync(file, example);
    const { smaller, result, dispatches, readbacks } = await import(/* @vite-ignore */ file.href);
    expect(smaller).toBeCloseTo(7.53, 2);
    expect(result.length).toBe(256);
    expect([dispatches, readbacks]).toEqual([4, 1]);
  },
);
