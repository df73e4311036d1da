import { countVotes, majority, wordsOf } from '@lmd/distributed';
import { report } from '../lib/report.mjs';

/** GPT-2 124M. */
export const weights = 124_439_808;
const workers = 8;
/** Bytes of votes that one core must count in a second. */
const promised = 1e9;

/** Votes of which a third agree, so that no counter is trivial. */
export function votesOf(rank, count) {
  const words = new Uint32Array(wordsOf(count));
  let state = rank + 1;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[index] = state;
  }
  return words;
}

/** Votes counted by one core. */
export async function measureCounting({ quick }) {
  const count = quick ? 2 ** 16 : weights;
  const ballots = Array.from({ length: workers }, (_, rank) => ({ up: votesOf(rank, count) }));
  const bytesPerSecond = (workers * count) / 8 / leastSeconds(() => countVotes(ballots, count), quick ? 1 : 5);
  report(
    `votes of ${workers} workers on ${(count / 1e6).toFixed(1)}M weights counted by one core`,
    bytesPerSecond / 1e9,
    'GB/s',
    '1 GB/s',
    bytesPerSecond / promised,
    1,
  );
  const seconds = leastSeconds(() => majority(ballots, count), quick ? 1 : 3);
  report('the same with directions in f32', seconds, 's');
}

/** Least processor time, which others on the machine change less than the clock's. */
function leastSeconds(body, rounds) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = -1; round < rounds; round++) {
    const before = process.cpuUsage();
    body();
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) least = Math.min(least, (user + system) / 1e6);
  }
  return Math.max(least, 1e-6);
}
