import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// What the tests of documented commands share: test/documented-commands.test.ts and apps/cli/test/documented.test.ts.

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Every page that documents the project, relative to its root. */
export function pages(): string[] {
  const under = (path: string): string[] =>
    readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? under(join(path, entry.name)) : entry.name.endsWith('.md') ? [join(path, entry.name)] : [],
    );
  const readmes = ['apps', 'packages', 'tools'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name, 'README.md')),
  );
  return ['README.md', ...readmes, ...under('docs')].filter((path) => existsSync(join(root, path)));
}

/** Lines of blocks of commands, fenced or indented, and what stands between backticks; without comments. */
export function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh|bash|console)?\n([\s\S]*?)^```/gm)].flatMap(([, code]) =>
    code!.split('\n'),
  );
  const indented = [...text.matchAll(/^ {4}(\S.*)$/gm)].map(([, line]) => line!);
  const spans = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...indented, ...spans].map((line) => line.replace(/ +#.*$/, '').trim());
}

/** Every command of every page that `is` one, once. */
export function documentedCommands(is: RegExp): Set<string> {
  const commands = pages().flatMap((page) => commandsIn(readFileSync(join(root, page), 'utf8')));
  return new Set(commands.filter((command) => is.test(command)));
}
