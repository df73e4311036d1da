// npm run settings -- <task> [--data <path>] [--changes <number>]: runs or resumes the trials of docs/settings/<task>
// in runs/settings/<task>: the search, as `lmd search` does, the final trials on the test set, longer runs, and the
// changes of one option at a time, or the first of them. Then stores the ledger and the winners in docs/settings.
// npm run settings -- --write: writes the tables of docs/choosing-settings.md from the ledgers.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Progress, readLedger, runTrials, withTrialRunner } from '@lmd/cli/experiment';
import { interruptSignal } from '@lmd/training/node';
import { root } from '../../scripts/lib.mjs';
import { bestJson, writePage } from './page.mjs';
import {
  changeTrials,
  configurationOf,
  finalTrials,
  longerTrials,
  ranges,
  searched,
  searchTrials,
  settingsFolder,
  tasks,
} from './tasks.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' }, data: { type: 'string' }, changes: { type: 'string' } },
});
const [task] = positionals;
if (values.write) {
  await writePage();
} else if (tasks.includes(task)) {
  await runTask(join(root, 'runs', 'settings', task));
} else {
  console.error(`Usage: npm run settings -- <${tasks.join(' | ')}> [--data <path>] [--changes <number>], or --write`);
  process.exitCode = 2;
}

async function runTask(folder) {
  const program = join(root, 'apps', 'cli', 'dist', 'bin.js');
  const data = values.data === undefined ? undefined : resolve(values.data);
  if (!(await isSearched(folder))) search(program, folder, data);
  const { records } = await readLedger(folder);
  const count = values.changes === undefined ? undefined : Number(values.changes);
  const planned = [
    ...finalTrials(task, records),
    ...longerTrials(task),
    ...changeTrials(task, records).slice(0, count),
  ];
  const { signal } = interruptSignal();
  const place = { out: folder, data, program, checkout: root, parallel: 2, threads: 1 };
  await withTrialRunner({ ...place, upload: false, priority: 'normal', say: () => {} }, (runner) =>
    runTrials({
      what: 'settings',
      planned: () => planned,
      pending: (results) => planned.filter(({ hash }) => !results.has(hash)),
      unit: planned[0].configuration,
      out: folder,
      runner,
      signal,
      progress: new Progress((text) => void process.stderr.write(text), process.stderr.isTTY === true),
    }),
  );
  await store(folder);
}

/** True if the search is done, by this version or an earlier one, whose options may have been fewer. */
async function isSearched(folder) {
  const { records } = await readLedger(folder);
  return ['lmd', 'adamw'].every((name) => searched(records, name).length === searchTrials);
}

/** Runs or resumes the search; ends the program if it does not succeed. */
function search(program, folder, data) {
  const key = configurationOf(task).data.kind === 'text' ? 'path' : 'folder';
  const file = join(settingsFolder, task, 'configuration.json');
  const words = ['search', file, '--trials', String(searchTrials), '--parallel', '2', '--threads', '1'];
  const ranged = ranges.flatMap((range) => ['--range', range]);
  const located = data === undefined ? [] : ['--set', `data.${key}=${data}`];
  const { status } = spawnSync(process.execPath, [program, ...words, '--out', folder, ...ranged, ...located], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** Stores the ledger and the winners for git, with the path of the data as the configuration has it. */
async function store(folder) {
  const { records } = await readLedger(folder);
  const target = join(settingsFolder, task);
  const lines = records.map((record) => `${JSON.stringify(withoutOwnPath(record))}\n`);
  writeFileSync(join(target, 'ledger.jsonl.gz'), gzipSync(lines.join(''), { level: 9 }));
  writeFileSync(join(target, 'best.json'), bestJson(task, records));
}

/** The hash of a trial does not depend on the path. */
function withoutOwnPath({ configuration, result, ...rest }) {
  const { data } = configurationOf(task);
  const key = ['folder', 'path'].find((name) => name in data);
  if (key === undefined) return { ...rest, configuration, result };
  // `lmd search` resolves the path of the configuration; the other trials have it from --data.
  const paths = [configuration.data[key], resolve(values.data ?? data[key])];
  const described = paths.reduce((text, path) => text?.replaceAll(path, data[key]), result.data);
  return {
    ...rest,
    configuration: { ...configuration, data: { ...configuration.data, [key]: data[key] } },
    result: { ...result, ...(described !== undefined && { data: described }) },
  };
}
