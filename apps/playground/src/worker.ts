import { createCpuBackend } from '@lmd/backends/cpu';
import { isLmdError, LmdError } from '@lmd/core';
import { decodePicture } from './data/decode-picture.js';
import type { Settings } from './settings/settings.js';
import { Controller, messageOf, type OpenBackend } from './training/controller.js';
import type { Message, Request } from './training/messages.js';

const post = (message: Message, transfer: Transferable[] = []) => self.postMessage(message, { transfer });

interface GpuAdapter {
  readonly info?: { readonly vendor: string; readonly architecture: string; readonly isFallbackAdapter?: boolean };
  requestDevice(): Promise<{ destroy(): void }>;
}

/** A graphics card in software, beside which WebAssembly is faster. */
const isSoftware = ({ info }: GpuAdapter) =>
  info?.isFallbackAdapter === true ||
  /swiftshader|llvmpipe|basic render/i.test(`${info?.vendor} ${info?.architecture}`);

/** @param isChosen whether the user wants it even where it is slow. */
async function openWebgpu(isChosen: boolean): Promise<OpenBackend> {
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<GpuAdapter | null> } };
  const adapter = (await gpu?.requestAdapter()) ?? undefined;
  if (adapter === undefined || (!isChosen && isSoftware(adapter))) {
    throw new LmdError('ENGINE_MISSING', 'WebGPU does not work in this browser, or finds no graphics card.', {
      subject: 'webgpu',
      remedy: 'WebAssembly computes instead.',
    });
  }
  const device = await adapter.requestDevice();
  const { createWebgpuBackend } = await import('@lmd/backends/webgpu');
  const backend = await createWebgpuBackend({ device: device as never });
  return { backend, kind: 'webgpu', lose: () => device.destroy() };
}

async function open(device: Settings['device']): Promise<OpenBackend> {
  let note: string | undefined;
  if (device !== 'wasm') {
    try {
      return await openWebgpu(device === 'webgpu');
    } catch (error) {
      note = messageOf(error);
    }
  }
  // One thread: a page without isolation headers has no shared memory.
  const backend = await createCpuBackend({ threads: 1 });
  return { backend, kind: 'wasm', ...(note === undefined ? {} : { note }) };
}

const controller = new Controller({
  open,
  report: (report) => post(report),
  decode: decodePicture,
  async fetch(name) {
    const response = await fetch(new URL(`../data/${name}`, self.location.href));
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw new LmdError('FILE_SYSTEM', `The file ${name} of this site is missing (status ${response.status}).`, {
      subject: 'data',
      value: name,
      remedy: 'Reload the page.',
    });
  },
});

async function answer(request: Request): Promise<unknown> {
  switch (request.type) {
    case 'start':
      return controller.start(request.settings, request.files);
    case 'pause':
      return controller.pause();
    case 'resume':
      return controller.resume();
    case 'change':
      return controller.change(request.settings);
    case 'save':
      return controller.save();
    case 'load':
      return controller.load(request.bytes, request.name);
    case 'weights':
      return controller.weights(request.query);
    case 'loseDevice':
      return controller.loseDevice();
    // Loaded when they are first used.
    case 'classify':
      return (await import('./training/predict.js')).classify(controller.session, request.image);
    case 'heldOut':
      return (await import('./training/predict.js')).classifyHeldOut(controller.session, request.index);
    case 'generate':
      return (await import('./training/predict.js')).continuePrompt(controller.session, request.prompt, request.seed);
  }
}

/** Commands that replace the session wait for one another. */
let last: Promise<unknown> = Promise.resolve();
const replacing = new Set(['start', 'change', 'load']);

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  try {
    const answered = replacing.has(data.type) ? last.then(() => answer(data)) : answer(data);
    if (replacing.has(data.type)) last = answered.catch(() => {});
    post({ type: 'answer', id, value: await answered });
  } catch (error) {
    // A view that was asked of a session that has ended: the page asks again.
    if (isLmdError(error, 'INTERRUPTED') && data.type === 'weights') return post({ type: 'answer', id });
    post({ type: 'error', id, message: messageOf(error) });
  }
};
