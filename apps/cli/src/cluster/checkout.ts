import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';

/** Folder of a program's sources, if git tracks them; an installed program may be in a checkout of something else. */
export function checkoutOf(program: string): string | undefined {
  const folder = dirname(dirname(program));
  try {
    execFileSync('git', ['ls-files', '--error-unmatch', 'package.json'], { cwd: folder, stdio: 'ignore' });
    return folder;
  } catch {
    return undefined;
  }
}
