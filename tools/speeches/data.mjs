import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StudyError } from './errors.mjs';

function describe(folder, name) {
  const path = join(folder, `${name}.bin.json`);
  if (!existsSync(path) || !existsSync(join(folder, `${name}.bin`))) return undefined;
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Whether a folder that a run was trained on holds the same text. What has been removed since cannot be told apart any more. */
export function sameText(folder, data) {
  const parts = ['train', 'val'].map((name) => describe(folder, name)?.sha256);
  if (parts.every((hash) => hash === undefined)) return true;
  return parts[0] === data.train.sha256 && parts[1] === data.heldOut.sha256;
}

/** The prepared text, made by `lmd data prepare` where it is missing. */
export async function prepareData(lmd, { data }, folder, log) {
  if (describe(folder, 'train') === undefined || describe(folder, 'val') === undefined) {
    log(`data: preparing ${data.source} in ${folder}`);
    const words = ['--tokenizer', data.tokenizer, '--validation', String(data.validation), '--seed', String(data.seed)];
    if (data.separator !== undefined) words.push('--separator', data.separator);
    await lmd(['data', 'prepare', data.source, '--out', folder, ...words]);
  }
  const [train, heldOut] = ['train', 'val'].map((name) => describe(folder, name));
  const { tokenizer, split } = train;
  const found = { tokenizer: tokenizer.name, validation: split.validation, seed: split.seed };
  for (const [key, value] of Object.entries(found)) {
    if (value === data[key]) continue;
    throw new StudyError(
      `${folder} holds text prepared with ${key} = ${value}, and the study has ${data[key]}. Name another folder with --data.`,
      2,
    );
  }
  return { folder, train, heldOut };
}

/** Examples of the held-out text: every other one is for validation, and the others are the test set. */
export function testExamples({ heldOut }, length) {
  return Math.floor(Math.floor((heldOut.tokens - 1) / length) / 2);
}

export function describeData({ train, heldOut }) {
  const count = (value) => value.toLocaleString('en-GB');
  return `${count(train.documents)} documents (${count(train.tokens)} tokens, tokenizer ${train.tokenizer.name}) for training, ${count(heldOut.documents)} (${count(heldOut.tokens)} tokens) held out, every other window for validation and the rest for the test`;
}
