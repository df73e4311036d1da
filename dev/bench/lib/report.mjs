/**
 * Rows { name, value, unit, peer, ratio, target, met }. `ratio` is the speed relative to the peer, and `target` its
 * lower bound. A row without a value ran out of memory. A row with a peer but no ratio has `peerValue`, which is null
 * if the peer ran out of memory.
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
 * @param {object} [more] additional fields of the row.
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

/** Removes the targets, for a run too short for meaningful times. */
export function forgetTargets() {
  for (const row of rows) Object.assign(row, { target: null, met: null });
}

/** The omitted rows, with reasons. */
/** @type {string[]} */
export const omissions = [];

/** Reports that rows are omitted, with the reason. */
export function leaveOut(reason) {
  if (omissions.includes(reason)) return;
  omissions.push(reason);
  console.error(`Omitted: ${reason}.`);
}

const figure = (value, unit) => (value === null ? 'out of memory' : `${value.toFixed(2)} ${unit}`);

/** The cells of a row: name, figure, comparison, and whether the target is met. */
export function cellsOf({ name, value, unit, peer, ratio, target, met, peerValue }) {
  const beside =
    peer === null ? '' : ratio === null ? `${peer}: ${figure(peerValue, unit)}` : `${ratio.toFixed(2)} × ${peer}`;
  const shown = target === null ? '' : String(Number(target.toFixed(2)));
  const judged = met === null ? shown : `${shown} (${met ? 'met' : 'not met'})`;
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
    const rest = [beside, judged === '' ? '' : `target ${judged}`].filter((cell) => cell !== '').join(', ');
    console.log(`${name.padEnd(widest)}  ${value.padStart(longest)}  ${rest}`.trimEnd());
  }
}

/**
 * The minimum time of each task in milliseconds. Each round runs all tasks in turn; three warm-up rounds, in which the
 * engine compiles hot functions, are not measured. A task may return a promise.
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
