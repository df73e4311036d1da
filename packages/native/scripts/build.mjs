// node scripts/build.mjs [--all | --require]: compiles the add-on into platforms/*/lmd.node, for this machine by its C
// compiler or by zig, or with --all for every platform by zig (`pip install ziglang==0.17.1`; ZIG may name the
// command). Without a compiler it says so and succeeds, unless --require is given: everything runs in WebAssembly then.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { compileAddOn, findCompiler, findZig, folder } from './compile.mjs';
import { targetOfThisMachine, targets } from './targets.mjs';

const stampOf = (name) => join(folder, 'platforms', name, 'lmd.node.sha256');
/** Between the hash of the sources and what the compiler said, where it failed. */
const failed = '\nfailed: ';

/** Of everything that a binary is made from. */
function sourceHash() {
  const hash = createHash('sha256');
  for (const part of ['c', 'scripts']) {
    for (const file of readdirSync(join(folder, part)).sort()) hash.update(readFileSync(join(folder, part, file)));
  }
  return hash.digest('hex');
}

/**
 * Builds for this machine, unless that has been done from these sources.
 *
 * @param {{ again?: boolean }} [options] `again`: try once more what failed from these sources
 * @returns `built`, whether there is a binary; `path`, where one was made just now; `reason`, why there is none
 */
export async function buildForThisMachine({ again = false } = {}) {
  const name = targetOfThisMachine();
  if (name === undefined) return { built: false, reason: `there is none for ${process.platform} on ${process.arch}` };
  const [stamp, hash] = [stampOf(name), sourceHash()];
  const binary = join(folder, 'platforms', name, 'lmd.node');
  const [stamped, failure] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split(failed) : [];
  if (stamped === hash && failure === undefined && existsSync(binary)) return { built: true };
  if (stamped === hash && failure !== undefined && !again) return { built: false, reason: failure };
  // Node's own functions are found by a library of names on Windows, which zig makes.
  const cc = process.platform === 'win32' ? undefined : await findCompiler();
  const compiler = cc === undefined ? { zig: await findZig() } : { cc };
  if (cc === undefined && compiler.zig === undefined) return { built: false, reason: 'no C compiler was found' };
  try {
    const path = await compileAddOn(name, compiler);
    writeFileSync(stamp, hash);
    return { built: true, path };
  } catch (error) {
    // Not tried at every set-up: a binary of other sources must not stay either.
    rmSync(binary, { force: true });
    writeFileSync(stamp, `${hash}${failed}${error.message}`);
    return { built: false, reason: error.message };
  }
}

/** Builds for every platform; `done` gets the path of each. */
export async function buildAll(zig, done) {
  for (const name of Object.keys(targets)) {
    done(await compileAddOn(name, { zig }));
    writeFileSync(stampOf(name), sourceHash());
  }
}

function report(path) {
  const contents = readFileSync(path);
  console.log(`${path.slice(folder.length)}: ${contents.length} bytes, ${gzipSync(contents).length} gzipped`);
}

async function main(options) {
  if (options.includes('--all')) {
    const zig = await findZig();
    if (zig !== undefined) return buildAll(zig, report);
    console.error('--all needs zig. Install it: pip install ziglang==0.17.1');
    process.exitCode = 1;
    return;
  }
  const { built, path, reason } = await buildForThisMachine({ again: true });
  if (path !== undefined) report(path);
  else if (built) console.log('The native kernels are up to date.');
  else console.error(`The native kernels were not built: ${reason}. Everything runs in WebAssembly.`);
  if (!built && options.includes('--require')) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
