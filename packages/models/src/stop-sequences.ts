/** Finds the first of several texts in a stream, and never lets any part of it through. */
export interface StopSequenceFilter {
  /** The text that can be shown after this piece. Once `stopped`, no text follows. */
  push(piece: string): { readonly text: string; readonly stopped: boolean };
  /** The rest, where the stream ends without a stop sequence. */
  end(): string;
}

/**
 * A filter that ends a stream of text before the first of `sequences`, which may begin in one piece and end in a later
 * one. A piece that may be the beginning of a sequence is held back until it is clear whether it is. The sequence that
 * is complete first counts; of those complete with the same piece, the one that begins first.
 *
 * @param sequences texts of at least one character each.
 */
export function stopSequenceFilter(sequences: readonly string[]): StopSequenceFilter {
  let held = '';
  return {
    push(piece) {
      held += piece;
      const found = sequences.map((sequence) => held.indexOf(sequence)).filter((at) => at >= 0);
      if (found.length > 0) {
        const text = held.slice(0, Math.min(...found));
        held = '';
        return { text, stopped: true };
      }
      const kept = Math.max(0, ...sequences.map((sequence) => overlap(held, sequence)));
      const text = held.slice(0, held.length - kept);
      held = held.slice(held.length - kept);
      return { text, stopped: false };
    },
    end() {
      const text = held;
      held = '';
      return text;
    },
  };
}

/** Length of the longest end of `text` that is a beginning of `sequence`. */
function overlap(text: string, sequence: string): number {
  for (let length = Math.min(text.length, sequence.length - 1); length > 0; length -= 1) {
    if (sequence.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
