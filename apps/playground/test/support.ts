import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createCpuBackend } from '@lmd/backends/cpu';
import { pictureSide, type SmallPicture } from '../src/data/pictures.js';
import { Controller, type Surroundings } from '../src/training/controller.js';
import type { Report } from '../src/training/messages.js';

const data = fileURLToPath(new URL('../public/data/', import.meta.url));

/** A picture that is "decoded" from a text such as `12`: its brightness. Another text does not decode. */
export async function decode(blob: Blob): Promise<SmallPicture> {
  const text = await blob.text();
  if (!/^\d+$/.test(text)) throw new Error('not a picture');
  return { pixels: new Uint8Array(pictureSide ** 2 * 3).fill(Number(text)), png: new TextEncoder().encode(text) };
}

export interface Opened {
  readonly controller: Controller;
  readonly reports: Report[];
  /** Loss of each step of each run; a step that is computed again replaces the old one. */
  readonly losses: readonly [number[], number[]];
  notices(): string[];
  /** Waits until the reports fulfil a condition. */
  until(condition: () => boolean): Promise<void>;
}

/** The controller on the cpu backend in one thread, which it takes for WebGPU where that is asked for. */
export async function openController(given: Partial<Surroundings> = {}): Promise<Opened> {
  const reports: Report[] = [];
  const losses: [number[], number[]] = [[], []];
  let wake = () => {};
  const controller = new Controller({
    async open(device) {
      const backend = await createCpuBackend({ threads: 1, native: 'off', arithmetic: 'strict' });
      const kind = device === 'wasm' ? 'wasm' : 'webgpu';
      return { backend, kind, lose: () => backend.close?.() };
    },
    report(report) {
      reports.push(report);
      if (report.type === 'progress') {
        for (const [n, { steps, losses: some }] of report.runs.entries()) {
          for (const [i, step] of steps.entries()) losses[n]![step] = some[i]!;
        }
      }
      wake();
    },
    decode,
    fetch: async (name) => new Uint8Array(readFileSync(data + name)),
    ...given,
  });
  return {
    controller,
    reports,
    losses,
    notices: () => reports.flatMap((one) => (one.type === 'notice' ? [one.text] : [])),
    async until(condition) {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 100);
        });
      }
    },
  };
}
