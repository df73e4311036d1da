import { createOperations, type EagerOperations, isLmdError } from '@lmd/core';
import type { Tokenizer } from '@lmd/data/text';
import { type LanguageModel, languageModelOf, type ModelFile } from '@lmd/inference';
import {
  cacheBytesPerToken,
  type Gpt2,
  generateText,
  type PackedModel,
  packWeights,
  precisionPreset,
} from '@lmd/models';
import { type FormatName, formatNamed } from '@lmd/mx-formats';
import { interruptSignal } from '@lmd/training/node';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { openBackend } from '../engine/index.js';
import { UsageError, usageError } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { fileSize } from '../output/units.js';
import { wrapText } from '../output/wrap.js';
import { openModelOrRun } from '../trial/run-model.js';
import { usualTokens } from './choices.js';
import { type PromptOptions, promptsOf } from './prompts.js';
import { speedsOf, type WrittenText, writeText } from './written-text.js';

export interface GenerateCommandOptions extends PromptOptions {
  readonly optimizer?: string;
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
  readonly temperature: number;
  readonly topK?: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
  readonly format: string;
  readonly weightsFormat?: FormatName;
  readonly cacheFormat?: FormatName;
  readonly backend: BackendChoice;
  readonly json?: boolean;
}

/** `lmd generate`: generates a text for each prompt, and streams it to the output. */
export async function generateCommand(
  path: string,
  options: GenerateCommandOptions,
  terminal: Terminal,
): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const prompts = promptsOf(options);
  const stopSequences = stopSequencesOf(options.stop);
  const { temperature, topK, topP, repetitionPenalty, seed } = options;
  const sampling = { temperature, topP, repetitionPenalty, seed, ...(topK === undefined ? {} : { topK }) };
  const precision = precisionPreset(options.format);
  const { weightsFormat } = options;
  const cacheFormat = options.cacheFormat === undefined ? undefined : formatNamed(options.cacheFormat);
  const file = await openModelOrRun(path, options.optimizer);
  const interrupt = interruptSignal();
  try {
    const { model, tokenizer } = await languageModel(file);
    // All of them before the first text is printed. An empty prompt starts a new document.
    const encoded = prompts.map((prompt) => (prompt === '' ? [tokenizer.endOfText] : encodePrompt(tokenizer, prompt)));
    writeNotes(file, terminal);
    const backend = await openBackend(options.backend);
    const ops = createOperations(backend);
    try {
      const { weights, packedWeights } = await weightsOf(file, ops, model, weightsFormat);
      const weightBytes = backend.memory().bytes;
      const stored = Object.values(packedWeights)[0]?.format.name;
      const tokenBytes = cacheBytesPerToken(ops, model.config, cacheFormat);
      const texts: WrittenText[] = [];
      for (const [index, prompt] of prompts.entries()) {
        const tokens = encoded[index]!;
        const room = model.config.contextLength - tokens.length;
        const { maxTokens = Math.min(room > 0 ? room : usualTokens, usualTokens) } = options;
        const parts = generateText({
          ...{ ops, model, weights, packedWeights, prompt: tokens, maxTokens, precision, stopSequences },
          ...{ stop: [tokenizer.endOfText], decoder: tokenizer.decoder() },
          // Other libraries pad the vocabulary: the padding rows are not tokens.
          vocabularySize: tokenizer.vocabularySize,
          ...sampling,
          ...(cacheFormat === undefined ? {} : { cacheFormat }),
        });
        const out = options.json ? undefined : terminal.out;
        if (index > 0) out?.write('\n');
        const written = await writeText(parts, prompt, { room, out, signal: interrupt.signal });
        texts.push(written);
        if (options.json) {
          const result = {
            ...{ type: 'generated', prompt, ...written, tokensPerSecond: written.tokens.length / written.seconds },
            ...{ weightsFormat: stored ?? 'fp32', weightBytes },
            ...{ cacheFormat: cacheFormat?.name ?? 'fp32', cacheBytesPerToken: tokenBytes },
          };
          terminal.out.write(jsonLine(result));
        }
        if (interrupt.signal.aborted) break;
      }
      ops.dispose(weights);
      for (const { tensors } of Object.values(packedWeights)) ops.dispose(tensors);
      if (options.json) return;
      const inFormat = (name: string | undefined): string => (name === undefined ? '' : `, in ${name}`);
      const summary = [
        ...speedsOf(texts, backend.device, model.config.contextLength),
        `weights ${fileSize(weightBytes)}${inFormat(stored)}`,
        `cache ${fileSize(tokenBytes)} a token${inFormat(cacheFormat?.name)}`,
      ];
      terminal.error.write(`${terminal.errorColours.dim(wrapText(summary.join('; '), terminal.error.columns))}\n`);
    } finally {
      backend.close?.();
    }
  } finally {
    interrupt.dispose();
    await file.close();
  }
}

/** The vocabulary of a model on characters has those of its training text alone. */
function encodePrompt(tokenizer: Tokenizer, prompt: string): Int32Array {
  try {
    return tokenizer.encode(prompt);
  } catch (cause) {
    if (!isLmdError(cause, 'DATA_CORRUPT')) throw cause;
    const character = String(cause.value);
    const point = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    throw new UsageError(
      'INVALID_ARGUMENT',
      `The prompt ${JSON.stringify(prompt)} has the character ${JSON.stringify(character)} (U+${point}), ` +
        `which the text that the model was trained on does not have.`,
      { subject: 'prompt', value: prompt, remedy: 'Use a prompt without it, or train on a text that has it.', cause },
    );
  }
}

function stopSequencesOf(given: readonly string[] = []): readonly string[] {
  if (!given.includes('')) return given;
  throw new UsageError('INVALID_ARGUMENT', '--stop "" is not allowed.', {
    subject: '--stop',
    value: '',
    remedy: 'Use a text of at least one character.',
  });
}

/** The weights, with packed matrices if the file has them packed or `format` is given. */
async function weightsOf(
  file: ModelFile,
  ops: EagerOperations,
  model: Gpt2,
  format: FormatName | undefined,
): Promise<PackedModel> {
  const { packedFormat } = file;
  if (packedFormat !== undefined && format !== undefined && format !== packedFormat) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--weights-format is ${format}, but ${file.path} is packed in ${packedFormat}.`,
      {
        subject: '--weights-format',
        value: format,
        remedy: 'Omit the option, or use the original file: quantizing twice has a larger error than quantizing once.',
      },
    );
  }
  const packs = format !== undefined || packedFormat !== undefined;
  if (packs && file.packedWeights !== undefined) return file.packedWeights(ops, model, format);
  const weights = await file.weights(ops, model);
  if (format === undefined) return { weights, packedWeights: {} };
  const packed = await packWeights(ops, model, weights, { format: formatNamed(format) });
  ops.dispose(Object.values(weights).filter((tensor) => !Object.values(packed.weights).includes(tensor)));
  return packed;
}

/** The GPT-2 of a file and the tokenizer that it was trained with. */
async function languageModel(file: ModelFile): Promise<LanguageModel> {
  try {
    return await languageModelOf(file.path, file.describe());
  } catch (error) {
    throw isLmdError(error, 'INVALID_ARGUMENT') ? usageError(error) : error;
  }
}
