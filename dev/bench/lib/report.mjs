/**
 * Rows { name, value, unit, peer, ratio, target, met }; a ratio says how many times as fast as the peer, and `target`
 * bounds it from below. A row without a value ran out of memory. One with a peer and no ratio has `peerValue`: null
 * where it is the peer that ran out of memory.
 */
/**
 * @typedef {{
 *   name: string, value: number | null, unit: string, peer: string | null, ratio: number | null, target: number | null,
 *   met: boolean | null, peerValue?: number | null,
 * }} Row
 */

/** @type {Row[]} */
export const rows = [];

/**
 * Adds a row.
 *
 * @param {string} name
 * @param {number | null} value
 * @param {string} unit
 * @param {string | null} [peer]
 * @param {number | null} [ratio]
 * @param {number | null} [target]
 * @param {object} [more] what a row holds beside the rest.
 */
export function report(name, value, unit, peer = null, ratio = null, target = null, more = {}) {
  const judged = target === null || (ratio === null && value !== null);
  rows.push({
    name,
    value,
    unit,
    peer,
    ratio,
    target,
    met: judged ? null : ratio !== null && ratio >= target,
    ...more,
  });
}

/** For a run so short that its times say nothing. */
export function forgetTargets() {
  for (const row of rows) Object.assign(row, { target: null, met: null });
}

/** What is not in the table, and why. */
/** @type {string[]} */
export const omissions = [];

/** Says that rows are left out because of something that is absent. */
export function leaveOut(reason) {
  if (omissions.includes(reason)) return;
  omissions.push(reason);
  console.error(`Left out: ${reason}.`);
}

const figure = (value, unit) => (value === null ? 'out of memory' : `${value.toFixed(2)} ${unit}`);

/** A row for a person: what, its figure, what is beside it, and whether its target is met. */
export function cellsOf({ name, value, unit, peer, ratio, target, met, peerValue }) {
  const beside =
    peer === null ? '' : ratio === null ? `${peer}: ${figure(peerValue, unit)}` : `${ratio.toFixed(2)} × ${peer}`;
  const judged = target === null ? '' : met === null ? `${target}` : `${target} (${met ? 'met' : 'not met'})`;
  return [name, figure(value, unit).trim(), beside, judged];
}

export function print(json) {
  if (json) {
    console.log(JSON.stringify(rows, null, 2));
    return;
  }
  const lines = rows.map(cellsOf);
  const [widest, longest] = [0, 1].map((column) => Math.max(...lines.map((line) => line[column].length)));
  for (const [name, value, beside, judged] of lines) {
    const rest = [beside, judged === '' ? '' : `at least ${judged}`].filter((cell) => cell !== '').join(', ');
    console.log(`${name.padEnd(widest)}  ${value.padStart(longest)}  ${rest}`.trimEnd());
  }
}

/**
 * The least milliseconds of each task over rounds that run all of them in turn, after three unmeasured rounds, in which
 * the engine compiles what it finds busy. A task may return a promise.
 */
export async function race(tasks, rounds) {
  const least = Object.fromEntries(Object.keys(tasks).map((name) => [name, Infinity]));
  for (let round = -3; round < rounds; round++) {
    for (const [name, task] of Object.entries(tasks)) {
      const start = performance.now();
      const pending = task();
      if (pending instanceof Promise) await pending;
      if (round >= 0) least[name] = Math.min(least[name], performance.now() - start);
    }
  }
  return least;
}
