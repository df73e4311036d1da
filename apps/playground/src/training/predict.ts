import { optimizerRules } from '@lmd/core';
import { tokenizerFromDescription } from '@lmd/data/text';
import { type ImageInput, type LoadedModel, loadModel, type NamedBlob } from '@lmd/inference';
import { posteriorSampling } from '@lmd/inference/posterior';
import { precisionPreset } from '@lmd/models';
import { type Checkpoint, encodeCheckpoint } from '@lmd/training';
import { checkpointName } from '../archive/archive.js';
import { modelBytes } from '../archive/model-file.js';
import { type HeldOutPicture, heldOutPicture } from './held-out.js';
import type { Session } from './session.js';

/** Posterior samples of a prediction. */
export const samples = 16;

/** What a network says, with the spread over its posterior where it has one. */
export interface Prediction {
  readonly step: number;
  readonly top: readonly { readonly name: string; readonly probability: number; readonly spread?: number }[];
  /** Of a language model: the text that it continues the prompt with. */
  readonly text?: string;
}

/** The model of a run as a saved file has it, loaded. */
async function loaded({ backend, task, settings }: Session, run: number, checkpoint: Checkpoint): Promise<LoadedModel> {
  const named = (name: string, bytes: Uint8Array): NamedBlob =>
    Object.assign(new Blob([bytes as Uint8Array<ArrayBuffer>]), { name });
  const files = [
    named('model.safetensors', await modelBytes(task, settings, run, checkpoint)),
    named(checkpointName(checkpoint), await encodeCheckpoint(checkpoint)),
  ];
  return loadModel(files, { backend, posterior: posteriorSampling });
}

const hasPosterior = ({ settings }: Session, run: number) => optimizerRules[settings.runs[run]!.optimizer].hasPosterior;

/** Classifies a picture with both runs. */
export function classify(session: Session, image: ImageInput): Promise<readonly Prediction[]> {
  return eachRun(session, async (run, checkpoint) => {
    const model = await loaded(session, run, checkpoint);
    try {
      const options = { topK: 5, ...(hasPosterior(session, run) ? { samples } : {}) };
      const { top } = await model.classify(image, options);
      return {
        step: checkpoint.step,
        top: top.map(({ className, probability, spread }) => ({
          name: className,
          probability,
          ...(spread === undefined ? {} : { spread }),
        })),
      };
    } finally {
      model.dispose();
    }
  });
}

/** Of a picture that no run has trained on. */
export interface HeldOutPrediction {
  readonly picture: HeldOutPicture;
  readonly predictions: readonly Prediction[];
}

/** Classifies a picture that is held out with both runs. */
export async function classifyHeldOut(session: Session, index: number): Promise<HeldOutPrediction> {
  const { input, picture } = await heldOutPicture(session.task, index);
  return { picture, predictions: await classify(session, input) };
}

/** Continues a prompt with both runs, and shows the next characters that they expect. */
export function continuePrompt(session: Session, prompt: string, seed: number): Promise<readonly Prediction[]> {
  return eachRun(session, async (run, checkpoint) => {
    const model = await loaded(session, run, checkpoint);
    try {
      const text = await model.generate(prompt, { maxTokens: 120, temperature: 0.8, seed }).text();
      return { step: checkpoint.step, text, top: await nextCharacters(session, run, prompt) };
    } finally {
      model.dispose();
    }
  });
}

async function nextCharacters(
  { task, runs, settings }: Session,
  run: number,
  prompt: string,
): Promise<Prediction['top']> {
  const { optimizer, training, settings: own } = runs[run]!;
  const { model } = task;
  if (training === undefined || model.architecture !== 'gpt2') return [];
  const tokenizer = await tokenizerFromDescription(task.tokenizer);
  const encoded = tokenizer.encode(prompt);
  const { contextLength, vocabularySize } = model.config;
  const tokens = Int32Array.from(encoded.length === 0 ? [tokenizer.endOfText] : encoded.slice(-contextLength));
  const { ops } = training;
  const count = optimizerRules[own.optimizer].hasPosterior ? samples : 1;
  const sums = new Float64Array(vocabularySize);
  const squares = new Float64Array(vocabularySize);
  for (let sample = 0; sample < count; sample++) {
    const key = { seed: settings.seed, step: training.step, sample: optimizer.samples + sample };
    const weights = optimizer.weights(ops, training.state, count > 1 ? 'sample' : 'mean', key);
    const probabilities = ops.scope(() => {
      const inputs = ops.fromData(tokens, [1, tokens.length], 'i32');
      const logits = model.forward(ops, weights, inputs, {
        training: false,
        precision: precisionPreset(own.format),
        key,
      });
      return ops.softmax(ops.slice(logits, [0, tokens.length - 1, 0], [1, 1, vocabularySize]));
    });
    const values = await ops.read(probabilities);
    ops.dispose(probabilities);
    ops.dispose(weights);
    for (let token = 0; token < vocabularySize; token++) {
      sums[token]! += values[token]!;
      squares[token]! += values[token]! ** 2;
    }
  }
  return Array.from(sums, (sum, token) => {
    const probability = sum / count;
    const spread = Math.sqrt(Math.max(0, squares[token]! - count * probability ** 2) / Math.max(1, count - 1));
    const name = token === tokenizer.endOfText ? 'end' : tokenizer.decode([token]);
    return { name, probability, ...(count > 1 ? { spread } : {}) };
  })
    .sort((a, b) => b.probability - a.probability)
    .slice(0, 8);
}

/** Runs `body` for both runs between two steps, with their states of now. */
function eachRun(
  session: Session,
  body: (run: number, checkpoint: Checkpoint) => Promise<Prediction>,
): Promise<readonly Prediction[]> {
  return session.turns.between(async () => {
    const predictions: Prediction[] = [];
    for (const [n, { training, snapshot }] of session.runs.entries()) {
      const checkpoint = (await training?.snapshot()) ?? snapshot;
      predictions.push(checkpoint === undefined ? { step: 0, top: [] } : await body(n, checkpoint));
    }
    return predictions;
  });
}
