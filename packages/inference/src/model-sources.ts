import { describeValue, LmdError, parseForeignJson, typedArrayName } from '@lmd/core';
import { type BlobLike, openSafetensors, openSafetensorsBlob, type SafetensorsFile } from '@lmd/safetensors';
import type { ModelFiles } from './model-file.js';
import { indexSuffix } from './tensor-file.js';

/** A `File` of a browser or of Node: a Blob with a name. */
export type NamedBlob = BlobLike & { readonly name: string };

/**
 * Where a model comes from: the bytes or the Blob of a model file; its files, such as `model.safetensors` and
 * `config.json`, or shards with their index, or with a checkpoint of its run; or the URL of a file or of a folder,
 * which ends in `/`.
 */
export type ModelSource = Uint8Array | ArrayBuffer | BlobLike | readonly NamedBlob[] | URL | string;

const modelName = 'model.safetensors';

/** The files of a source. */
export async function modelFilesOf(source: ModelSource): Promise<ModelFiles> {
  if (typeof source === 'string' || source instanceof URL) return filesAtUrl(source);
  const bytes = bytesOf(source);
  if (bytes !== undefined) return singleFile('the model', () => openBytes(bytes, 'the model'));
  if (Array.isArray(source)) return filesInList(source);
  if (isBlob(source)) {
    const { name } = source as Partial<NamedBlob>;
    const label = typeof name === 'string' && name !== '' ? name : 'the model';
    return singleFile(label, () => openSafetensorsBlob(source, label));
  }
  throw unusable(source);
}

function singleFile(name: string, open: () => Promise<SafetensorsFile>): ModelFiles {
  return {
    name,
    open,
    index: () =>
      Promise.reject(
        new LmdError('INVALID_ARGUMENT', `${name} is the index of other files.`, {
          subject: 'source',
          value: name,
          remedy: 'Pass a list of the index and all files that it names.',
        }),
      ),
    json: async () => undefined,
    checkpoint: async () => undefined,
  };
}

/** Files by name, such as those that a user selects in a page. */
function filesInList(list: readonly NamedBlob[]): ModelFiles {
  const byName = new Map<string, NamedBlob>();
  for (const file of list) {
    if (!isBlob(file) || typeof file.name !== 'string') throw unusable(file);
    byName.set(file.name, file);
  }
  const names = [...byName.keys()];
  const checkpoints = names.filter((name) => /^step-\d+\.safetensors$/.test(name)).sort();
  const tensors = names.filter((name) => name.endsWith('.safetensors') && !checkpoints.includes(name));
  const index = names.find((name) => name.endsWith(indexSuffix));
  const name = index ?? (tensors.includes(modelName) ? modelName : tensors[0]);
  if (name === undefined || (index === undefined && tensors.length > 1 && name !== modelName)) {
    throw new LmdError('INVALID_ARGUMENT', `The source has the files ${names.join(', ') || '(none)'}.`, {
      subject: 'source',
      value: names,
      remedy: 'Pass one model.safetensors with its config.json, or the files of a sharded model with their index.',
    });
  }
  const file = (wanted: string): NamedBlob => {
    const found = byName.get(wanted);
    if (found !== undefined) return found;
    throw new LmdError('INVALID_ARGUMENT', `The source lacks ${wanted}, which ${name} names.`, {
      subject: 'source',
      value: names,
      remedy: 'Pass all files of the model.',
    });
  };
  return {
    name,
    open: async (wanted = name) => openSafetensorsBlob(file(wanted), wanted),
    index: () => textOf(file(name)),
    async json(wanted) {
      const found = byName.get(wanted);
      return found === undefined ? undefined : parseForeignJson(await textOf(found), wanted);
    },
    async checkpoint() {
      const path = checkpoints.at(-1);
      if (path === undefined) return undefined;
      const bytes = new Uint8Array(await wholeOf(file(path)));
      return { bytes, path };
    },
  };
}

/** A file on a server, or the files of a folder. */
async function filesAtUrl(source: URL | string): Promise<ModelFiles> {
  const url = absolute(source);
  const isFolder = url.pathname.endsWith('/');
  const single = isFolder ? new URL(modelName, url) : url;
  const first = await fetched(single);
  const model = first === undefined && isFolder ? new URL(modelName + indexSuffix, url) : single;
  const response = first ?? (isFolder ? await fetched(model) : undefined);
  if (response === undefined) throw notFound(isFolder ? `${single.href} and ${model.href}` : single.href, url);
  const blob = await response.blob();
  const beside = async (name: string) => {
    const found = await fetched(new URL(name, model));
    return found?.blob();
  };
  return {
    name: model.href,
    async open(file) {
      const data = file === undefined ? blob : await beside(file);
      if (data === undefined) throw notFound(new URL(file!, model).href, url);
      return openSafetensorsBlob(data, file ?? model.href);
    },
    index: () => textOf(blob),
    async json(name) {
      const found = await beside(name);
      return found === undefined ? undefined : parseForeignJson(await textOf(found), new URL(name, model).href);
    },
    checkpoint: async () => undefined,
  };
}

/** A URL; in a page, one relative to it too. */
function absolute(source: URL | string): URL {
  const { document } = globalThis as { document?: { readonly baseURI?: string } };
  try {
    return new URL(source, document?.baseURI);
  } catch (cause) {
    throw new LmdError('INVALID_ARGUMENT', `The source is ${JSON.stringify(String(source))}, which is not a URL.`, {
      subject: 'source',
      value: source,
      remedy: 'Use a URL, a Blob, a list of files, or bytes. For a path in Node, use loadModel of @lmd/inference/node.',
      cause,
    });
  }
}

interface FetchedBody {
  readonly ok: boolean;
  readonly status: number;
  blob(): Promise<BlobLike>;
}

/** The response; undefined if the server does not have the file. */
async function fetched(url: URL): Promise<FetchedBody | undefined> {
  const { fetch } = globalThis as unknown as { fetch(url: URL): Promise<FetchedBody> };
  let response: FetchedBody;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw unreachable(url, 'the server did not answer', cause);
  }
  if (response.ok) return response;
  if (response.status === 404) return undefined;
  throw unreachable(url, `the server answered with status ${response.status}`);
}

function unreachable(url: URL, reason: string, cause?: unknown): LmdError {
  return new LmdError('FILE_SYSTEM', `${url.href} could not be fetched: ${reason}.`, {
    subject: 'source',
    value: url.href,
    remedy: 'Check the address, the connection, and that the server allows this page to read it (CORS).',
    cause,
  });
}

function notFound(missing: string, url: URL): LmdError {
  return new LmdError('FILE_SYSTEM', `${missing} does not exist.`, {
    subject: 'source',
    value: url.href,
    remedy: 'Use the URL of a model file, or of a folder with a model.safetensors, which ends in "/".',
  });
}

function openBytes(bytes: Uint8Array, name: string): Promise<SafetensorsFile> {
  return openSafetensors({
    name,
    size: bytes.length,
    read: async (position, length) => new Uint8Array(bytes.subarray(position, position + length)),
    close: async () => {},
  });
}

/** The bytes of an array, on the same memory; undefined for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typedArrayName(value) === 'Uint8Array') return value as Uint8Array;
  const isBuffer = Object.prototype.toString.call(value) === '[object ArrayBuffer]';
  return isBuffer ? new Uint8Array(value as ArrayBuffer) : undefined;
}

export function isBlob(value: unknown): value is BlobLike {
  const { size, slice } = (value ?? {}) as Partial<BlobLike>;
  return typeof size === 'number' && typeof slice === 'function';
}

function wholeOf(blob: BlobLike): Promise<ArrayBuffer> {
  return blob.slice(0, blob.size).arrayBuffer();
}

async function textOf(blob: BlobLike): Promise<string> {
  return new TextDecoder().decode(await wholeOf(blob));
}

function unusable(value: unknown): LmdError {
  return new LmdError('INVALID_ARGUMENT', `loadModel: the source is ${describeValue(value)}.`, {
    subject: 'source',
    value,
    remedy: 'Use a URL, a Blob, a list of files, or the bytes of a model file.',
  });
}
