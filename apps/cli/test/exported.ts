import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { lmd } from './lmd.js';

/** Exports a training of the smoke preset to a new folder within one, and gives its path. */
export async function exported(folder: string, target: 'kubernetes' | 'slurm', ...words: string[]): Promise<string> {
  const out = join(mkdtempSync(join(folder, 'export-')), 'job');
  const source = words[0]?.startsWith('--') === false ? [] : ['smoke'];
  const run = await lmd(['cluster', 'export', target, ...source, ...words, '--out', out], folder);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return out;
}

// biome-ignore lint/suspicious/noExplicitAny: manifests of several kinds, whose schemas are checked.
export type Manifest = any;

/** All manifests of a folder. */
export function manifestsIn(out: string): Manifest[] {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  return files.flatMap((name) =>
    parseAllDocuments(readFileSync(join(out, name), 'utf8')).map((document) => {
      expect(document).toMatchObject({ errors: [], warnings: [] });
      return document.toJS();
    }),
  );
}

/** The manifest of a kind. */
export const findIn = (manifests: readonly Manifest[], kind: string): Manifest =>
  manifests.find((one) => one.kind === kind);
