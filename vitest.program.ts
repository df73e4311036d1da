import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the built program of the application under test. */
    program: string;
  }
}

function newest(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

/**
 * Gives tests the program that turbo has built, or where sources are newer, one built from them without declarations.
 * That one has its own folder: `dist` stays what turbo made it.
 */
export function provideProgram(packageFolder: string, project: TestProject): void {
  const sourceTime = newest(join(packageFolder, 'src'));
  const isCurrent = (program: string) => existsSync(program) && statSync(program).mtimeMs > sourceTime;
  const built = join(packageFolder, 'dist', 'bin.js');
  const folder = join(packageFolder, '.vitest', 'program');
  const program = join(folder, 'bin.js');
  // Turbo builds before it tests. What it takes from its cache has the times of an earlier build.
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: turbo itself sets it, and it decides no result.
  if (process.env.TURBO_HASH !== undefined || isCurrent(built)) {
    project.provide('program', built);
    return;
  }
  if (!isCurrent(program)) {
    const tsup = join(dirname(createRequire(join(packageFolder, 'package.json')).resolve('tsup')), 'cli-default.js');
    const words = [tsup, '--no-dts', '--out-dir', folder];
    execFileSync(process.execPath, words, { cwd: packageFolder, stdio: 'inherit' });
  }
  project.provide('program', program);
}
