// The `prepack` script of the platforms' packages: they are not published without what they are for.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const path = join(process.cwd(), 'lmd.node');
const problem = !existsSync(path)
  ? 'has no lmd.node'
  : statSync(path).size === 0
    ? 'has an lmd.node that is empty'
    : undefined;
if (problem !== undefined) {
  console.error(`${process.cwd()} ${problem}, and is not packed without it. Run npm run native -- --all in the root.`);
  process.exitCode = 1;
}
