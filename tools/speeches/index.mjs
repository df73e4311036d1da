// node tools/speeches/index.mjs [--data FOLDER] [--work FOLDER] [--out FOLDER] [--backend NAME] [--only search] [--report] [--study FILE]
// Runs the comparison of study.json, resumably, and writes its page. See README.md.
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/lib.mjs';
import { loadBuilt } from './built.mjs';
import { Interrupted, StudyError } from './errors.mjs';
import { rewritePage } from './page.mjs';
import { runStudy } from './run-study.mjs';

const usage = `Usage: node tools/speeches/index.mjs [options]

  --work FOLDER    where the runs stand (default: runs/speeches-study)
  --data FOLDER    where the prepared text stands, or goes (default: data in the work folder)
  --out FOLDER     where the page goes (default: docs/studies/speeches)
  --backend NAME   what computes (default: that of the study); lmd doctor lists them
  --only search    ends after the search
  --report         writes the page anew from its figures, and runs nothing
  --study FILE     another study (default: tools/speeches/study.json)
  --help           prints this`;

const own = fileURLToPath(new URL('study.json', import.meta.url));

function parse(words) {
  const text = { type: 'string' };
  const { values } = parseArgs({
    args: words,
    options: {
      ...{ work: text, data: text, out: text, backend: text, only: text, study: text },
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, work, data, backend, study = own, out = join(root, 'docs', 'studies', 'speeches') } = values;
  if (only !== undefined && only !== 'search')
    throw new StudyError(`--only ${only} is not allowed; it can be search.`, 2);
  if (study !== own && values.out === undefined)
    throw new StudyError('--study goes with --out: the page is of another study.', 2);
  const left = Object.entries({ work, data, backend, only }).find(([, value]) => value !== undefined)?.[0];
  if (values.report && left !== undefined) throw new StudyError(`--report and --${left} do not go together.`, 2);
  return { ...values, study: resolve(study), out: resolve(out) };
}

async function main(words) {
  let options;
  try {
    options = parse(words);
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  try {
    if (options.report) {
      for (const path of await rewritePage(await loadBuilt(), options.out)) console.error(`wrote ${path}`);
    } else await runStudy(options);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) {
      const program = relative(process.cwd(), fileURLToPath(import.meta.url));
      console.error(`${error.message} The same command goes on:\n  node ${[program, ...words].join(' ')}`);
    } else if (error instanceof StudyError || error.remedy !== undefined) console.error(`error ${error.message}`);
    else console.error(error);
    return error.exitCode ?? 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
