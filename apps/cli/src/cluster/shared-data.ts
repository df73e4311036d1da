import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { LmdError } from '@lmd/core';
import { readImageTable } from '@lmd/data/node';
import type { Store } from '@lmd/distributed';
import { z } from 'zod';
import type { DataConfiguration } from '../configuration/data-schema.js';
import { pathOf } from '../data/index.js';

const manifestSchema = z.strictObject({
  /** Whether the path of the data is a file, and its name, or a folder. */
  root: z.string().optional(),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int().min(0), sha256: z.string() })),
});

/** The files of a data set, with paths relative to its folder, in the order of their names. */
export type DataManifest = z.output<typeof manifestSchema>;

/** Bytes after which a part of the files in the store ends, with the file that reaches them. */
const partBytes = 32 * 2 ** 20;

const keyOf = (hash: string, part: number | 'manifest') => `data/${hash}/${part}`;

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 of a manifest, which names the data. */
export const hashOfData = (manifest: DataManifest): string => sha256(JSON.stringify(manifest));

/**
 * Reads and hashes the files of a configuration; undefined where it has no path: synthetic data, or those of an
 * installed package.
 */
export async function manifestOf(configuration: DataConfiguration): Promise<DataManifest | undefined> {
  const path = pathOf(configuration)?.path;
  if (path === undefined) return undefined;
  const { folder, root } = folderOf(path);
  const paths = configuration.kind === 'imageCsv' ? tableFiles(path, configuration) : filesIn(path);
  const files: DataManifest['files'] = [];
  for (const file of [...paths].sort()) {
    const bytes = await readFile(file);
    files.push({ path: relative(folder, file).split(sep).join('/'), bytes: bytes.length, sha256: sha256(bytes) });
  }
  const outside = files.find((file) => file.path.startsWith('../'));
  if (outside !== undefined) {
    throw new LmdError('UNSUPPORTED', `data.path lists ${outside.path}, which is not in the folder of the CSV.`, {
      subject: 'data.path',
      value: outside.path,
      remedy: 'Move the images there, so that workers find them at the same relative paths.',
    });
  }
  return { ...(root === undefined ? {} : { root }), files };
}

function folderOf(path: string): { readonly folder: string; readonly root: string | undefined } {
  const whole = resolve(path);
  return statSync(whole).isDirectory()
    ? { folder: whole, root: undefined }
    : { folder: dirname(whole), root: basename(whole) };
}

function tableFiles(path: string, configuration: Extract<DataConfiguration, { kind: 'imageCsv' }>): string[] {
  return [resolve(path), ...readImageTable(path, configuration, 'data.').rows.map(({ file }) => file)];
}

/** The file itself, or all in the folder but hidden ones. */
function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [resolve(path)];
  return readdirSync(path, { withFileTypes: true }).flatMap(({ name }) => {
    const inner = join(path, name);
    return name.startsWith('.') ? [] : statSync(inner).isDirectory() ? filesIn(inner) : [resolve(inner)];
  });
}

/** Puts the files into the store, unless they are there. The manifest comes last: with it, all parts are there. */
export async function shareData(store: Store, path: string, manifest: DataManifest): Promise<void> {
  const hash = hashOfData(manifest);
  if ((await store.get(keyOf(hash, 'manifest'))) !== undefined) return;
  let part = 0;
  for await (const bytes of partsOf(folderOf(path).folder, manifest)) await store.put(keyOf(hash, part++), bytes);
  await store.put(keyOf(hash, 'manifest'), new TextEncoder().encode(JSON.stringify(manifest)));
}

/** The files, one after another, in parts. */
async function* partsOf(folder: string, { files }: DataManifest): AsyncGenerator<Uint8Array> {
  let [pending, size]: [Uint8Array[], number] = [[], 0];
  for (const { path } of files) {
    const bytes = await readFile(join(folder, ...path.split('/')));
    pending.push(bytes);
    size += bytes.length;
    if (size < partBytes) continue;
    yield Buffer.concat(pending);
    [pending, size] = [[], 0];
  }
  if (size > 0) yield Buffer.concat(pending);
}

/**
 * The path of the data with this hash in a folder of this machine, where it is fetched to unless it is there. Every
 * file's SHA-256 is checked.
 *
 * @throws LmdError `DATA_CORRUPT` for a damaged part; `INVALID_ARGUMENT` if the store has no such data
 */
export async function fetchData(store: Store, hash: string, cache: string): Promise<string> {
  const folder = join(cache, hash.slice(0, 16));
  const stored = await store.get(keyOf(hash, 'manifest'));
  if (stored === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `The data ${hash.slice(0, 12)} of the trial is not in the store.`, {
      subject: 'data',
      value: hash,
      remedy: 'Give this worker a copy with --data <path>, or start the study without --no-upload.',
    });
  }
  const manifest = manifestSchema.parse(JSON.parse(new TextDecoder().decode(stored)));
  if (hashOfData(manifest) !== hash) throw damaged(hash, 'manifest');
  const path = manifest.root === undefined ? folder : join(folder, manifest.root);
  if (existsSync(folder)) return path;
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(join(cache, '.fetch-'));
  try {
    await writeFiles(store, hash, manifest, unfinished);
    await rename(unfinished, folder).catch((error) => (existsSync(folder) ? undefined : Promise.reject(error)));
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return path;
}

async function writeFiles(store: Store, hash: string, { files }: DataManifest, folder: string): Promise<void> {
  let [stored, at, part]: [Uint8Array, number, number] = [new Uint8Array(), 0, 0];
  for (const { path, bytes, sha256: expected } of files) {
    // A part ends with a file.
    if (at === stored.length && bytes > 0) {
      const next = await store.get(keyOf(hash, part++));
      if (next === undefined) throw damaged(hash, path);
      [stored, at] = [next, 0];
    }
    const contents = stored.subarray(at, at + bytes);
    at += bytes;
    const target = resolve(folder, ...path.split('/'));
    if (sha256(contents) !== expected || !target.startsWith(resolve(folder) + sep)) throw damaged(hash, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, contents);
  }
}

/**
 * Checks that a folder or file of this machine has the data of a study.
 *
 * @throws LmdError `INVALID_ARGUMENT` naming the hashes
 */
export async function checkData(configuration: DataConfiguration, hash: string): Promise<void> {
  const manifest = await manifestOf(configuration);
  const own = manifest === undefined ? 'none' : hashOfData(manifest);
  if (own === hash) return;
  const path = pathOf(configuration)?.path;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `--data ${path}: the SHA-256 of its files is ${own.slice(0, 12)}, that of the study's data ${hash.slice(0, 12)}.`,
    { subject: '--data', value: path, remedy: 'Copy the files of the study, or leave out --data to fetch them.' },
  );
}

function damaged(hash: string, path: string): LmdError {
  return new LmdError('DATA_CORRUPT', `The stored data ${hash.slice(0, 12)} is damaged: ${path} has another SHA-256.`, {
    subject: 'data',
    value: path,
    remedy: 'Delete the stored data, and start the study again, which stores it.',
  });
}
