import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

function newest(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

/** Tests that run an application's built program build it first, where sources are newer than the build. */
export function buildProgram(packageFolder: string): void {
  const program = join(packageFolder, 'dist', 'bin.js');
  if (existsSync(program) && statSync(program).mtimeMs > newest(join(packageFolder, 'src'))) return;
  const tsup = join(dirname(createRequire(join(packageFolder, 'package.json')).resolve('tsup')), 'cli-default.js');
  execFileSync(process.execPath, [tsup, '--no-dts'], { cwd: packageFolder, stdio: 'inherit' });
}
