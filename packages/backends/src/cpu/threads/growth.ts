import type { WasmMemory } from '../arena.js';

/** Bytes of a page of WebAssembly memory. */
const pageBytes = 65_536;

/** The size of a memory in pages of 64 KiB, as this thread sees it. */
export function pagesOf(memory: WasmMemory): number {
  return memory.buffer.byteLength / pageBytes;
}

/**
 * Brings a thread's view of a shared memory up to date with the size that another thread sees. In V8, the `buffer` of a
 * thread that starts while another one grows the memory can stay at the earlier size (seen in Node 20.20 in 7 of 300
 * starts). Growing by nothing makes a new one.
 */
export function followGrowth(memory: WasmMemory, pages: number): void {
  if (pagesOf(memory) < pages) memory.grow(0);
}
