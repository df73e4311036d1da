const redrawSeconds = 0.2;
const plainSeconds = 30;

/** `1 h 05 min`, `12 min`, `40 s`. */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes} min` : `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/**
 * Says what is being done and how long the whole study still takes. A job's work is counted in training steps of its rule; an
 * example that is evaluated counts as a third of one that is trained on.
 *
 * @param jobs `{ name, rule, units, done }`, in their order; `done` where nothing is left to do.
 * @param rates seconds of a step by rule, as far as they are known: a Map, corrected as steps are made.
 */
export function createProgress(jobs, rates, stream = process.stderr) {
  const byName = new Map(jobs.map((job) => [job.name, { ...job, made: job.done ? job.units : 0 }]));
  let current;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let open = false;

  const rateOf = (rule) => rates.get(rule) ?? [...rates.values()][0];
  const secondsOf = (job) => (job.units - job.made) * (rateOf(job.rule) ?? Number.NaN);

  function left() {
    const seconds = [...byName.values()]
      .filter((job) => job.made < job.units)
      .reduce((sum, job) => sum + secondsOf(job), 0);
    return Number.isNaN(seconds) ? undefined : seconds;
  }

  function line(text) {
    if (open) stream.write('\r\u001b[2K');
    open = false;
    stream.write(`${text}\n`);
  }

  function draw(text) {
    const at = performance.now() / 1000;
    if (at - drawnAt < (stream.isTTY ? redrawSeconds : plainSeconds)) return;
    drawnAt = at;
    const study = left();
    const times = study === undefined ? '' : `, ${duration(secondsOf(current.job))} left, the study ${duration(study)}`;
    const whole = `${current.job.name}: ${text}${times}`;
    if (stream.isTTY) {
      stream.write(`\r\u001b[2K${whole.slice(0, (stream.columns || 80) - 1)}`);
      open = true;
    } else line(whole);
  }

  return {
    line,
    /** Seconds until the study is done; undefined where no step has been timed. */
    left,
    begin(name, text) {
      current = { job: byName.get(name), began: performance.now(), from: undefined };
      drawnAt = Number.NEGATIVE_INFINITY;
      draw(text);
    },
    /** Units made of the current job, and of which one wants to know. */
    at(units, text) {
      const { job } = current;
      job.made = Math.min(units, job.units);
      // From the first step on that this process has seen: loading and warming up are not what a step takes.
      current.from ??= { units, at: performance.now() };
      const made = units - current.from.units;
      if (made >= 2) rates.set(job.rule, (performance.now() - current.from.at) / 1000 / made);
      draw(text);
    },
    end(text) {
      current.job.made = current.job.units;
      line(`${current.job.name}: ${text}`);
      current = undefined;
    },
    clear() {
      if (open) stream.write('\r\u001b[2K');
      open = false;
    },
  };
}
