import { createCpuBackend } from '@lmd/backends/cpu';
import { loadModel, type PixelData } from '@lmd/inference';
import { chooseBackend } from '@lmd/inference/backend';
import { describe, expect, it } from 'vitest';
import { classifyPicture } from './page.js';

/** The parts of a page that the tests use. The repository is compiled without the types of browsers. */
interface Page {
  readonly ImageData: new (data: Uint8ClampedArray, width: number, height: number) => PixelData;
  readonly OffscreenCanvas: new (width: number, height: number) => Canvas;
  readonly Image: new () => { src: string; readonly width: number; readonly height: number; decode(): Promise<void> };
  createImageBitmap(source: unknown): Promise<Canvas>;
  readonly document: { createElement(name: 'canvas'): Canvas };
}
interface Canvas {
  width: number;
  height: number;
  getContext(kind: '2d'): {
    putImageData(image: PixelData, x: number, y: number): void;
    getImageData(x: number, y: number, width: number, height: number): PixelData;
    drawImage(image: unknown, x: number, y: number): void;
  };
}
const page = globalThis as unknown as Page;

const modelUrl = new URL('../test/digits.safetensors', import.meta.url);
const pictureUrl = new URL('../test/seven.png', import.meta.url);
const model = await (await fetch(modelUrl)).blob();
const picture = await (await fetch(pictureUrl)).blob();
const backend = await createCpuBackend();

/** The pixels of the picture. */
async function imageData(): Promise<PixelData> {
  const context = new page.OffscreenCanvas(28, 28).getContext('2d');
  context.drawImage(await page.createImageBitmap(picture), 0, 0);
  return context.getImageData(0, 0, 28, 28);
}

describe('in a browser', () => {
  it('a model in a Blob classifies ImageData, and the first prediction comes within a second', async () => {
    const pixels = await imageData();
    const began = performance.now();
    const loaded = await loadModel(model, { backend });
    const { className, probability } = await loaded.classify(pixels);
    console.log(`first prediction after ${(performance.now() - began).toFixed(0)} ms on ${backend.device}`);
    expect(className).toBe('7');
    expect(probability).toBeGreaterThan(0.9);
    loaded.dispose();
  });

  it('pictures come as encoded files, bitmaps, canvases and elements alike', async () => {
    const loaded = await loadModel(model, { backend });
    const pixels = await imageData();
    const expected = await loaded.classify(pixels);
    const canvas = page.document.createElement('canvas');
    [canvas.width, canvas.height] = [28, 28];
    canvas.getContext('2d').putImageData(pixels, 0, 0);
    const element = new page.Image();
    element.src = pictureUrl.href;
    await element.decode();
    const bytes = new Uint8Array(await picture.arrayBuffer());
    const given = [picture, bytes, await page.createImageBitmap(picture), canvas, element];
    expect(await loaded.classify(given)).toEqual(given.map(() => expected));
    expect(await loaded.classify(new page.ImageData(new Uint8ClampedArray(4 * 784), 28, 28))).not.toEqual(expected);
    await expect(loaded.classify(new Blob(['no picture']))).rejects.toThrow(/cannot be decoded: [^.]+\. Use a/);
    await expect(loaded.classify(new page.Image())).rejects.toThrow(/not drawable/);
    loaded.dispose();
  });

  it('the example of the README works', async () => {
    expect(await classifyPicture(modelUrl.href, picture)).toMatchObject({ className: '7' });
  });

  it('WebGPU is chosen where it works, with the same class', async () => {
    const chosen = await chooseBackend();
    expect(chosen.name).toBe('webgpu');
    const loaded = await loadModel(modelUrl, { backend: chosen });
    const onCpu = await loadModel(modelUrl, { backend });
    const [gpu, cpu] = [await loaded.classify(picture), await onCpu.classify(picture)];
    expect(gpu.probability).toBeCloseTo(cpu.probability, 4);
    loaded.dispose();
    onCpu.dispose();
    chosen.close?.();
  });
});
