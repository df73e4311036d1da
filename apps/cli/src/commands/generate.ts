import { createOperations, parseForeignJson } from '@lmd/core';
import { type Tokenizer, tokenizerFromDescription } from '@lmd/data/text';
import { type Gpt2, generate, precisionNames, precisionPreset } from '@lmd/models';
import { interruptSignal } from '@lmd/training/node';
import { openBackend } from '../engine/index.js';
import { backendNames } from '../engine/names.js';
import { UsageError } from '../errors.js';
import { type ModelFile, modelOf, writeNotes } from '../model-file/weights.js';
import { jsonLine } from '../output/json.js';
import { keepStandardOutputClean, type Terminal, withTabs } from '../output/terminal.js';
import { count } from '../output/units.js';
import { openModelOrRun } from '../trial/run-model.js';
import { choose } from './choose.js';
import { numberOption } from './number-option.js';

export interface GenerateCommandOptions {
  readonly prompt: string;
  readonly optimizer?: string;
  readonly maxTokens?: string;
  readonly temperature: string;
  readonly topK?: string;
  readonly topP?: string;
  readonly repetitionPenalty?: string;
  readonly seed: string;
  readonly format: string;
  readonly backend: string;
  readonly json?: boolean;
}

/** Without `--max-tokens`, unless the context has room for fewer. */
const usualTokens = 200;

/** Embeddings are padded to a multiple of 64 or 128 for speed, such as 50257 to 50304. More than this is another vocabulary. */
const mostPadding = 1023;

/** `lmd generate`: generates text token by token, and prints it as it comes. */
export async function generateCommand(
  path: string,
  options: GenerateCommandOptions,
  terminal: Terminal,
): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const wholeNumber = { least: 0, whole: true };
  const sampling = {
    temperature: numberOption('--temperature', options.temperature, { least: 0 }),
    seed: numberOption('--seed', options.seed, wholeNumber),
    ...(options.topK === undefined ? {} : { topK: numberOption('--top-k', options.topK, { least: 1, whole: true }) }),
    ...(options.topP === undefined ? {} : { topP: numberOption('--top-p', options.topP, { above: 0, most: 1 }) }),
    ...(options.repetitionPenalty === undefined
      ? {}
      : { repetitionPenalty: numberOption('--repetition-penalty', options.repetitionPenalty, { above: 0 }) }),
  };
  const precision = precisionPreset(choose('--format', options.format, precisionNames));
  const backendName = choose('--backend', options.backend, backendNames);
  const file = await openModelOrRun(path, options.optimizer);
  const interrupt = interruptSignal();
  try {
    const { model, tokenizer } = await languageModel(file);
    // An empty prompt begins a document.
    const encoded = tokenizer.encode(options.prompt);
    const prompt = encoded.length === 0 ? Int32Array.of(tokenizer.endOfText) : encoded;
    const room = model.config.contextLength - prompt.length;
    const maxTokens =
      options.maxTokens === undefined
        ? Math.min(room > 0 ? room : usualTokens, usualTokens)
        : numberOption('--max-tokens', options.maxTokens, wholeNumber);
    writeNotes(file, terminal);
    const backend = await openBackend(backendName);
    const ops = createOperations(backend);
    try {
      const weights = await file.weights(ops, model);
      const tokens: number[] = [];
      const decoder = tokenizer.decoder();
      const began = performance.now();
      const stop = [tokenizer.endOfText];
      // Models of other libraries pad the vocabulary: those rows are no tokens.
      const { vocabularySize } = tokenizer;
      const generated = generate({
        ...{ ops, model, weights, prompt, stop, maxTokens, vocabularySize, precision },
        ...sampling,
      });
      if (!options.json) terminal.out.write(withTabs(options.prompt));
      for await (const token of generated) {
        tokens.push(token);
        const text = decoder.push(token);
        if (!options.json) terminal.out.write(withTabs(text));
        if (interrupt.signal.aborted) break;
      }
      const seconds = (performance.now() - began) / 1000;
      ops.dispose(weights);
      const speed = tokens.length / seconds;
      if (options.json) {
        const text = tokenizer.decode(tokens);
        const result = { type: 'generated', prompt: options.prompt, text, tokens, seconds, tokensPerSecond: speed };
        terminal.out.write(jsonLine(result));
      } else {
        terminal.out.write(`${withTabs(decoder.end())}\n`);
        const { dim } = terminal.errorColours;
        const summary = `${count(tokens.length)} tokens, ${speed.toFixed(1)} a second on ${backend.device}`;
        terminal.error.write(`${dim(summary)}\n`);
      }
    } finally {
      backend.close?.();
    }
  } finally {
    interrupt.dispose();
    await file.close();
  }
}

/** The GPT-2 of a file and the tokenizer that it was trained with. */
async function languageModel(file: ModelFile): Promise<{ readonly model: Gpt2; readonly tokenizer: Tokenizer }> {
  // Models of transformers do not say so in the file: GPT-2's tokenizer is the one that they have.
  const description = file.layout === 'transformers' ? { name: 'gpt2' } : ownTokenizer(file);
  const model = description === undefined ? undefined : modelOf(file);
  if (model?.architecture !== 'gpt2' || description === undefined) {
    throw new UsageError('INVALID_ARGUMENT', `${file.path} holds no language model.`, {
      subject: 'model',
      value: file.path,
      remedy:
        'Name a run of a gpt2, its model.safetensors, or a folder with a GPT-2 of transformers and its config.json.',
    });
  }
  const tokenizer = await tokenizerFromDescription(description);
  const { vocabularySize } = model.config;
  const padding = vocabularySize - tokenizer.vocabularySize;
  if (padding < 0 || padding > mostPadding) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${file.path} has ${vocabularySize} tokens, and its tokenizer (${tokenizer.name}) has ${tokenizer.vocabularySize}.`,
      {
        subject: 'model',
        value: vocabularySize,
        remedy: 'Name the run or model of lmd that it was exported from: that says which tokenizer it has.',
      },
    );
  }
  return { model, tokenizer };
}

function ownTokenizer({ metadata, path }: ModelFile): unknown {
  const { tokenizer } = metadata;
  return tokenizer === undefined ? undefined : parseForeignJson(tokenizer, `${path}: the metadata "tokenizer"`);
}
