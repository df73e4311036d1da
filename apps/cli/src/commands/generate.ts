import { createOperations } from '@lmd/core';
import { type Tokenizer, tokenizerFromDescription } from '@lmd/data/text';
import { type Gpt2, generate, precisionNames, precisionPreset } from '@lmd/models';
import { interruptSignal } from '@lmd/training/node';
import { openBackend } from '../engine/index.js';
import { backendNames } from '../engine/names.js';
import { UsageError } from '../errors.js';
import { type ModelFile, modelOf } from '../model-file/weights.js';
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

/** `lmd generate`: goes on with a text, token by token, as it comes. */
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
    const room = Math.max(0, model.config.contextLength - prompt.length);
    const maxTokens =
      options.maxTokens === undefined
        ? Math.min(room, 200)
        : numberOption('--max-tokens', options.maxTokens, wholeNumber);
    const backend = await openBackend(backendName);
    const ops = createOperations(backend);
    try {
      const weights = await file.weights(ops, model);
      const tokens: number[] = [];
      const decoder = tokenizer.decoder();
      const began = performance.now();
      if (!options.json) terminal.out.write(withTabs(options.prompt));
      const stop = [tokenizer.endOfText];
      for await (const token of generate({ ops, model, weights, prompt, stop, maxTokens, precision, ...sampling })) {
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
  const tokenizer = file.config === undefined ? file.metadata.tokenizer : '{"name":"gpt2"}';
  const model = file.config === undefined && tokenizer === undefined ? undefined : modelOf(file);
  if (model?.architecture !== 'gpt2' || tokenizer === undefined) {
    throw new UsageError('INVALID_ARGUMENT', `${file.path} holds no language model.`, {
      subject: 'model',
      value: file.path,
      remedy:
        'Name a run of a gpt2, its model.safetensors, or a folder with a GPT-2 of transformers and its config.json.',
    });
  }
  const described = await tokenizerFromDescription(JSON.parse(tokenizer));
  const { vocabularySize } = model.config;
  if (described.vocabularySize > vocabularySize) {
    throw new UsageError('INVALID_ARGUMENT', `${file.path} has other tokens than those of GPT-2.`, {
      subject: 'model',
      value: vocabularySize,
      remedy: 'Name the run or model of lmd that it was exported from: that says which tokenizer it has.',
    });
  }
  return { model, tokenizer: described };
}
