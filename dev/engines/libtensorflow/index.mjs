// node dev/engines/libtensorflow/index.mjs FOLDER [--gpu] [--wheel FILE] [--python PROGRAM] [--compiler PROGRAM] Builds
// @tensorflow/tfjs-node in FOLDER from the npm registry and PyPI; prints the path for LMD_TFJS_NODE.
import { parseArgs } from 'node:util';
import { buildEngine } from './build.mjs';

const usage =
  'Usage: node dev/engines/libtensorflow/index.mjs FOLDER [--gpu] [--wheel FILE] [--python PROGRAM] ' +
  '[--compiler PROGRAM]';

function parse() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      gpu: { type: 'boolean', default: false },
      wheel: { type: 'string' },
      python: { type: 'string' },
      compiler: { type: 'string' },
    },
  });
  if (positionals.length !== 1) throw new Error('Exactly one folder is required.');
  return { folder: positionals[0], ...values };
}

let options;
try {
  options = parse();
} catch (error) {
  console.error(`${error.message}\n${usage}`);
  process.exit(2);
}
try {
  const { gpu, ...rest } = options;
  const log = (line) => console.error(line);
  console.log(await buildEngine({ ...rest, variant: gpu ? 'tfjs-node-gpu' : 'tfjs-node', log }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
