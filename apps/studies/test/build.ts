import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageFolder = join(dirname(fileURLToPath(import.meta.url)), '..');

function newest(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

/** The end-to-end tests run the built program: builds it where sources are newer than the build. */
export default function setup(): void {
  const program = join(packageFolder, 'dist', 'bin.js');
  if (existsSync(program) && statSync(program).mtimeMs > newest(join(packageFolder, 'src'))) return;
  const tsup = join(dirname(createRequire(import.meta.url).resolve('tsup')), 'cli-default.js');
  execFileSync(process.execPath, [tsup, '--no-dts'], { cwd: packageFolder, stdio: 'inherit' });
}
