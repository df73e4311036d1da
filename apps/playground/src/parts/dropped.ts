import type { GivenFiles } from '../data/given.js';
import type { Playground } from '../playground.svelte.js';

interface Entry {
  readonly isFile: boolean;
  readonly fullPath: string;
  file(found: (file: File) => void, failed: (error: unknown) => void): void;
  createReader(): { readEntries(found: (entries: Entry[]) => void, failed: (error: unknown) => void): void };
}

/** The files that were dropped, those in folders included, by their paths. */
export async function filesOf(transfer: DataTransfer | null): Promise<GivenFiles> {
  // Before anything is awaited: the list is empty afterwards.
  const items = [...(transfer?.items ?? [])];
  const entries = items.map((item) => item.webkitGetAsEntry?.() as Entry | null);
  const plain = [...(transfer?.files ?? [])];
  if (entries.some((entry) => entry === null) || entries.length === 0) return fromList(plain);
  const found: { path: string; blob: Blob }[] = [];
  for (const entry of entries) await collect(entry!, found);
  return found;
}

async function collect(entry: Entry, found: { path: string; blob: Blob }[]): Promise<void> {
  if (entry.isFile) {
    const blob = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ path: entry.fullPath.replace(/^\//, ''), blob });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives about a hundred at a time.
    const some = await new Promise<Entry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const one of some) await collect(one, found);
  }
}

/** Files of an `<input type="file">`, by their paths in a chosen folder. */
export function fromList(files: Iterable<File>): GivenFiles {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
}

/** Uses what the user gave: a saved run, a text, pictures in folders, or files of Fashion-MNIST. */
export async function take(playground: Playground, files: GivenFiles): Promise<void> {
  const [first] = files;
  if (first === undefined) return;
  if (/\.(zip|safetensors)$/i.test(first.path)) {
    await playground.load(new Uint8Array(await first.blob.arrayBuffer()), first.path);
    return;
  }
  const isIdx = files.some(({ path }) => /idx[13]-ubyte(\.gz)?$/i.test(path));
  const isText = /\.(txt|md|text)$/i.test(first.path) || first.blob.type.startsWith('text/');
  const data = isIdx ? 'clothes' : isText ? 'text' : 'pictures';
  playground.change({ data });
  playground.files = isText ? [first] : files.filter(({ path }) => !/(^|\/)\./.test(path));
  await playground.start();
}
