import { LmdError, type TensorData } from '@lmd/core';
import { parseSafetensors, type SafetensorsTensor, safetensorsParts, tensorFrom, toTypedArray } from '@lmd/safetensors';
import { assertJson, fromJson, type Json, toJson } from '../json.js';
import { problemOf } from './check-checkpoint.js';
import type { Checkpoint, HostTensor, NamedHostTensors } from './checkpoint.js';

/** Computes the SHA-256 of the concatenated parts as lower-case hexadecimal. */
export type Sha256 = (parts: readonly Uint8Array[]) => string | Promise<string>;

const formatVersion = 'lmd-checkpoint-v1';
const optimizerPrefix = 'optimizer/';
const pluginPrefix = 'plugin/';
const blankDigest = '0'.repeat(64);
/** The longest header that the format allows. */
const maxHeaderBytes = 100_000_000;

/** SHA-256 with the Web Cryptography API, available in Node and in secure browser contexts. */
export const webSha256: Sha256 = async (parts) => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
};

/**
 * Encodes a checkpoint as one safetensors file: tensors unchanged, other data as JSON in the metadata, and a SHA-256 of
 * the whole file, computed with the 64 digits of the digest itself set to zeros. Any safetensors reader can open it.
 */
export async function encodeCheckpoint(checkpoint: Checkpoint, sha256: Sha256 = webSha256): Promise<Uint8Array> {
  const parts = await encodeCheckpointParts(checkpoint, sha256);
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The same bytes in parts. Only the first, the header, is a copy; the others are views of the tensors' memory. */
export async function encodeCheckpointParts(checkpoint: Checkpoint, sha256: Sha256): Promise<readonly Uint8Array[]> {
  const { tensors, plugins, lastValidation, ...rest } = checkpoint;
  assertJson(rest, 'checkpoint');
  // A result may be NaN, which JSON cannot represent.
  const run = lastValidation === undefined ? rest : { ...rest, lastValidation };
  const pluginData: { [name: string]: Json } = {};
  const all = prefixed(optimizerPrefix, tensors);
  for (const [name, state] of Object.entries(plugins)) {
    const data = state.data ?? null;
    assertJson(data, `the state of plugin "${name}"`);
    pluginData[name] = { data, tensors: Object.keys(state.tensors ?? {}) };
    for (const entry of prefixed(`${pluginPrefix}${name}/`, state.tensors ?? {})) all.push(entry);
  }
  const { start, data } = safetensorsParts({
    tensors: new Map(all),
    metadata: {
      format: formatVersion,
      plugins: JSON.stringify(pluginData),
      run: toJson(run),
      sha256: blankDigest,
    },
  });
  const parts = [start, ...data];
  start.set(new TextEncoder().encode(await sha256(parts)), digestPlace(start)!);
  return parts;
}

/**
 * Decodes the output of `encodeCheckpoint`.
 *
 * @param source path of the file, for error messages.
 * @throws LmdError `CHECKPOINT_CORRUPT` if bytes are missing, added or changed, or for another kind of file.
 */
export async function decodeCheckpoint(
  file: Uint8Array,
  source = 'The checkpoint',
  sha256: Sha256 = webSha256,
): Promise<Checkpoint> {
  // Node's Buffer is a Uint8Array whose `slice` does not copy, so it is converted.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const place = digestPlace(bytes);
  if (place === undefined) throw corruptCheckpoint(source, 'it is not a checkpoint, or its header is damaged');
  const end = place + blankDigest.length;
  const written = new TextDecoder('latin1').decode(bytes.subarray(place, end));
  const blank = new TextEncoder().encode(blankDigest);
  if ((await sha256([bytes.subarray(0, place), blank, bytes.subarray(end)])) !== written) {
    throw corruptCheckpoint(source, 'its contents do not match its SHA-256');
  }
  try {
    return decodeWhole(bytes);
  } catch (cause) {
    throw corruptCheckpoint(source, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** The digest is correct, so a failure here means that another version or program wrote the file. */
function decodeWhole(bytes: Uint8Array): Checkpoint {
  const { metadata, tensors } = parseSafetensors(bytes);
  if (metadata.format !== formatVersion) {
    throw new Error(`its format is ${String(metadata.format)}, but this version reads ${formatVersion}`);
  }
  const read = (name: string): HostTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`tensor "${name}" is absent`);
    return hostTensor(name, tensor);
  };
  const plugins = JSON.parse(metadata.plugins ?? '') as { [name: string]: { data: Json; tensors: string[] } };
  const { lastValidation, ...run } = JSON.parse(metadata.run ?? '') as Omit<Checkpoint, 'tensors' | 'plugins'>;
  const checkpoint = {
    ...run,
    ...(lastValidation === undefined
      ? {}
      : { lastValidation: fromJson(JSON.stringify(lastValidation)) as NonNullable<Checkpoint['lastValidation']> }),
    tensors: Object.fromEntries(
      [...tensors.keys()]
        .filter((name) => name.startsWith(optimizerPrefix))
        .map((name) => [name.slice(optimizerPrefix.length), read(name)]),
    ),
    plugins: Object.fromEntries(
      Object.entries(plugins).map(([plugin, state]) => [
        plugin,
        {
          data: state.data,
          tensors: Object.fromEntries(state.tensors.map((name) => [name, read(`${pluginPrefix}${plugin}/${name}`)])),
        },
      ]),
    ),
  };
  const problem = problemOf(checkpoint);
  if (problem !== undefined) throw new Error(problem);
  return checkpoint;
}

function prefixed(prefix: string, tensors: NamedHostTensors): [string, SafetensorsTensor][] {
  return Object.entries(tensors).map(([name, { data, shape }]) => [`${prefix}${name}`, tensorFrom(data, shape)]);
}

const dtypes = { F32: 'f32', I32: 'i32', U8: 'u8' } as const;

function hostTensor(name: string, tensor: SafetensorsTensor): HostTensor {
  if (!(tensor.dtype in dtypes)) throw new Error(`tensor "${name}" has the unknown type ${tensor.dtype}`);
  return {
    shape: tensor.shape,
    dtype: dtypes[tensor.dtype as keyof typeof dtypes],
    data: toTypedArray(tensor) as TensorData,
  };
}

/**
 * Position of the digits of the digest. The key with unescaped quotation marks occurs nowhere else in the header:
 * within a string they would be escaped, and no tensor's entry begins with a string.
 */
function digestPlace(bytes: Uint8Array): number | undefined {
  if (bytes.length < 8) return undefined;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  // The limit of safetensors: with a damaged length, hundreds of megabytes could be decoded as text.
  if (length > Math.min(maxHeaderBytes, bytes.length - 8)) return undefined;
  const header = new TextDecoder('latin1').decode(bytes.subarray(8, 8 + length));
  const match = /"sha256":"[0-9a-f]{64}"/.exec(header);
  return match === null ? undefined : 8 + match.index + '"sha256":"'.length;
}

/** The error for an invalid checkpoint; `problem` completes `<source> cannot be read: …`. */
export function corruptCheckpoint(source: string, problem: string, cause?: unknown): LmdError {
  return new LmdError('CHECKPOINT_CORRUPT', `${source} cannot be read: ${problem.replace(/\.$/, '')}.`, {
    subject: source,
    remedy: 'Resume from an older checkpoint of the run, which latestCheckpoint finds.',
    cause,
  });
}
