import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/lib.mjs';
import { StudyError } from './errors.mjs';

const marker = 'study.json';

/**
 * Makes the work folder this study's: a new or empty folder, one that the tool has made, or one that holds nothing but run folders
 * with the names of the study's runs, which are then read as its own.
 */
export async function claimWork({ writeFileAtomic }, work, study, isRun) {
  if (existsSync(work) && !statSync(work).isDirectory()) throw new StudyError(`${work} is no folder.`, 2);
  mkdirSync(work, { recursive: true });
  const path = join(work, marker);
  const mine = { format: 'lmd-speeches-study-v1', study: study.name };
  if (existsSync(path)) {
    let found;
    try {
      found = JSON.parse(readFileSync(path, 'utf8'));
    } catch {
      found = {};
    }
    if (found.format === mine.format && found.study === mine.study) return;
    throw new StudyError(`${work} is the work folder of another study (${path}). Name another with --work.`, 2);
  }
  const other = readdirSync(work).find((name) => !isRun(name) && !/^(run\.lock|data$|\.)/.test(name));
  if (other !== undefined) {
    throw new StudyError(
      `${work} is no work folder of this study: it holds ${other}. Name a new folder with --work.`,
      2,
    );
  }
  await writeFileAtomic(path, `${JSON.stringify(mine, null, 2)}\n`);
}

/** The commit of the checkout, with `+` where what computes differs from it. */
function commit() {
  const git = (...words) =>
    execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs');
    return git('rev-parse', '--short=12', 'HEAD') + (changed === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

export function describeOccasion() {
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1);
  return {
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    commit: commit(),
    node: process.versions.node,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${gibibytes} GiB, ${platform()} ${arch()}`,
  };
}

/** When, where and from which commit each run was begun and gone on with. */
export function openOccasions({ writeFileAtomic }, work) {
  const path = join(work, 'occasions.json');
  const read = () => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});
  return {
    of: (name) => read()[name] ?? [],
    async add(name) {
      const all = read();
      all[name] = [...(all[name] ?? []), describeOccasion()];
      await writeFileAtomic(path, `${JSON.stringify(all, null, 2)}\n`);
    },
  };
}
