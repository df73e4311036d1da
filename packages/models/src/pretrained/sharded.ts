import { LmdError } from '@lmd/core';
import type { PretrainedTensor, PretrainedTensors } from './tensors.js';

/**
 * The tensors of a model in several files, by its parsed `model.safetensors.index.json` and a reader for each file that this
 * names. A file is opened when the first of its tensors is read, and stays open.
 *
 * @throws LmdError `CHECKPOINT_CORRUPT` for an index without a `weight_map` of names, and, on reading, for a file that lacks
 * a tensor which the index says it has.
 */
export function shardedTensors(
  index: unknown,
  open: (file: string) => PretrainedTensors | Promise<PretrainedTensors>,
): PretrainedTensors {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  const entries = typeof map === 'object' && map !== null ? Object.entries(map) : [];
  if (entries.length === 0 || entries.some(([, file]) => typeof file !== 'string' || /[/\\]/.test(file))) {
    throw new LmdError('CHECKPOINT_CORRUPT', 'The index has no weight_map of tensor names to file names.', {
      subject: 'weight_map',
      value: map,
      remedy: 'Give the parsed model.safetensors.index.json.',
    });
  }
  const files = new Map<string, string>(entries as [string, string][]);
  const opened = new Map<string, Promise<{ reader: PretrainedTensors; names: ReadonlySet<string> }>>();
  const openOnce = (file: string) => {
    const known = opened.get(file);
    if (known !== undefined) return known;
    const opening = (async () => {
      const reader = await open(file);
      return { reader, names: new Set(reader.names) };
    })();
    opened.set(file, opening);
    return opening;
  };
  return {
    names: [...files.keys()],
    async read(name): Promise<PretrainedTensor> {
      const file = files.get(name)!;
      const { reader, names } = await openOnce(file);
      if (names.has(name)) return reader.read(name);
      throw new LmdError('CHECKPOINT_CORRUPT', `The index says that "${file}" holds "${name}", and it does not.`, {
        subject: name,
        value: file,
        remedy: 'Fetch the files again, all of one version.',
      });
    },
  };
}
