/** Rows { name, value, unit, peer, ratio, target, met }; a ratio says how many times as fast as the peer, and `target` bounds it from below. */
export const rows = [];

export function report(name, value, unit, peer = null, ratio = null, target = null) {
  rows.push({
    name,
    value,
    unit,
    peer,
    ratio,
    target,
    met: target === null || ratio === null ? null : ratio >= target,
  });
}

/** What is not in the table, and why. */
export const omissions = [];

/** Says that rows are left out because of something that is absent. */
export function leaveOut(reason) {
  if (omissions.includes(reason)) return;
  omissions.push(reason);
  console.error(`Left out: ${reason}.`);
}

export function print(json) {
  if (json) {
    console.log(JSON.stringify(rows, null, 2));
    return;
  }
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, value, unit, peer, ratio, target, met } of rows) {
    const beside = peer === null ? '' : `${ratio.toFixed(2).padStart(8)} × ${peer}`;
    const judged = target === null ? '' : ` (at least ${target}: ${met ? 'met' : 'not met'})`;
    console.log(`${name.padEnd(width)} ${value.toFixed(2).padStart(9)} ${unit.padEnd(8)}${beside}${judged}`);
  }
}

/**
 * The least milliseconds of each task over rounds that run all of them in turn, after three unmeasured rounds, in which the engine
 * compiles what it finds busy. A task may return a promise.
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
