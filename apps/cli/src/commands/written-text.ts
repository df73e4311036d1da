import type { GeneratedText, TextEnd } from '@lmd/models';
import type { TerminalOutput } from '@lmd/training/node';
import { withTabs } from '../output/terminal.js';
import { count } from '../output/units.js';

/** A generated text, as `lmd generate --json` prints it. */
export interface WrittenText {
  readonly text: string;
  /** All tokens, those of a stop sequence included. */
  readonly tokens: readonly number[];
  /** Why it ended; `interrupted` by Ctrl-C. */
  readonly end: TextEnd | 'interrupted';
  readonly seconds: number;
  /** The tokens beyond the context, each of which costs a forward pass over the whole window. */
  readonly beyondContext?: { readonly tokens: number; readonly seconds: number };
}

interface WriteOptions {
  /** Tokens that the context has room for after the prompt. */
  readonly room: number;
  /** Where the prompt and the text are streamed to. */
  readonly out: TerminalOutput | undefined;
  readonly signal: AbortSignal;
}

/** Streams a text after its prompt. */
export async function writeText(
  parts: AsyncIterable<GeneratedText>,
  prompt: string,
  { room, out, signal }: WriteOptions,
): Promise<WrittenText> {
  const tokens: number[] = [];
  const pieces: string[] = [];
  let end: WrittenText['end'] = 'interrupted';
  // A token for each position of the context, and one more after the last.
  const within = Math.max(0, room) + 1;
  const began = performance.now();
  let croppedAt = began;
  for await (const part of parts) {
    if (pieces.length === 0) out?.write(withTabs(prompt));
    pieces.push(part.text);
    out?.write(withTabs(part.text));
    if (part.token !== undefined) tokens.push(part.token);
    if (part.end !== undefined) end = part.end;
    if (tokens.length <= within) croppedAt = performance.now();
    if (signal.aborted) break;
  }
  out?.write('\n');
  const ended = performance.now();
  const beyond = tokens.length - within;
  return {
    text: pieces.join(''),
    tokens,
    end,
    seconds: (ended - began) / 1000,
    ...(beyond > 0 ? { beyondContext: { tokens: beyond, seconds: (ended - croppedAt) / 1000 } } : {}),
  };
}

/** `200 tokens, 35.2 tokens/s on …`, and the same of the tokens beyond the context. */
export function speedsOf(texts: readonly WrittenText[], device: string, contextLength: number): string[] {
  const total = sumOf(texts.map(({ tokens, seconds }) => ({ tokens: tokens.length, seconds })));
  const beyond = sumOf(texts.flatMap(({ beyondContext }) => beyondContext ?? []));
  const each = `each a forward pass over ${count(contextLength)}`;
  return [
    `${count(total.tokens)} tokens, ${speed(total)} on ${device}`,
    ...(beyond.tokens === 0 ? [] : [`of these ${count(beyond.tokens)} beyond the context, ${each}, ${speed(beyond)}`]),
  ];
}

interface Timed {
  readonly tokens: number;
  readonly seconds: number;
}

function sumOf(parts: readonly Timed[]): Timed {
  return parts.reduce((sum, part) => ({ tokens: sum.tokens + part.tokens, seconds: sum.seconds + part.seconds }), {
    tokens: 0,
    seconds: 0,
  });
}

const speed = ({ tokens, seconds }: Timed): string => `${(tokens / seconds).toFixed(1)} tokens/s`;
