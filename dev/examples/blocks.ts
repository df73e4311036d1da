import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Languages of blocks that need a mark. */
const marked = ['ts', 'js', 'sh'];
const unmarked = ['text', 'json', 'python', 'html', 'diff'];

/** The mark of a block, in the HTML comment before it. */
export type Mark =
  | { readonly kind: 'run'; readonly ifEngine: boolean; readonly copies: readonly { from: string; to: string }[] }
  | { readonly kind: 'from'; readonly file: string }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'excerpt'; readonly file: string }
  | { readonly kind: 'skip'; readonly reason: string };

export interface Block {
  /** Relative to the root, with forward slashes. */
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  readonly mark: Mark;
}

const folders = ['docs', 'packages', 'apps', 'dev'];

/** Every page of documentation, relative to the root: all Markdown except changelogs and pages of templates. */
export function pages(): string[] {
  const under = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return /^(?:node_modules|dist|runs|templates|\..*)$/.test(entry.name) ? [] : under(path);
      return /(?<!^CHANGELOG|\.api)\.md$/.test(entry.name) ? [path] : [];
    });
  const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'));
  return [...atRoot, ...folders.flatMap(under)];
}

function parseRun(words: string): Mark {
  const copies: { from: string; to: string }[] = [];
  let ifEngine = false;
  for (const part of words === '' ? [] : words.split(', ')) {
    const copy = /^with (\S+) as (\S+)$/.exec(part);
    if (copy !== null) copies.push({ from: copy[1]!, to: copy[2]! });
    else if (part === 'if its engine is installed') ifEngine = true;
    else throw new Error(`"${part}" is unknown. Use "with FILE as NAME" or "if its engine is installed".`);
  }
  return { kind: 'run', ifEngine, copies };
}

function parseMark(comment: string): Mark {
  const [, kind, rest = ''] = /^(run|from|file|excerpt|skip)(?:: (.+))?$/s.exec(comment) ?? [];
  if (kind === 'run') return parseRun(rest);
  if ((kind === 'from' || kind === 'file' || kind === 'excerpt') && rest !== '') return { kind, file: rest };
  if (kind === 'skip' && rest !== '') return { kind, reason: rest };
  throw new Error(
    `"${comment}" is not a mark. Use "run", "run: …", "from: FILE", "file: NAME", "excerpt: FILE" or "skip: REASON".`,
  );
}

/**
 * The blocks of a page with code or commands, with their marks.
 *
 * @throws Error for a block without a mark, or in an unknown language; the message names page and line.
 */
export function blocksOf(page: string, text = readFileSync(join(root, page), 'utf8')): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const place = `${page}:${at + 1}`;
    if (/^ {4}(?:npm|npx|node|lmd|python3?|pnpm) /.test(lines[at]!))
      throw new Error(`${place}: an indented block contains a command. Use a fenced "sh" block.`);
    const fence = /^\s*```(\w*)/.exec(lines[at]!);
    if (fence === null) continue;
    const language = fence[1]!;
    const end = lines.findIndex((line, i) => i > at && /^\s*```\s*$/.test(line));
    if (end < 0) throw new Error(`${place}: the block is not closed.`);
    const before = lines.slice(0, at).join('\n').trimEnd();
    const comment = /<!-- ((?:(?!-->).)*?) -->$/s.exec(before)?.[1];
    // Other languages need no mark, but may be a file that a command reads.
    if (marked.includes(language) || comment?.startsWith('file: ')) {
      if (comment === undefined)
        throw new Error(`${place}: the block has no mark. Put <!-- run --> or <!-- skip: reason --> before it.`);
      try {
        const code = lines.slice(at + 1, end).join('\n');
        blocks.push({ page, line: at + 1, language, code, mark: parseMark(comment) });
      } catch (error) {
        throw new Error(`${place}: ${(error as Error).message}`);
      }
    } else if (!unmarked.includes(language)) {
      throw new Error(`${place}: the block's language is "${language}". Use ${[...marked, ...unmarked].join(', ')}.`);
    }
    at = end;
  }
  return blocks;
}

/**
 * The folder of the package of a page. Pages outside of packages, such as docs/, use `dev`, which depends on all
 * packages.
 */
export function packageOf(page: string): string {
  for (let folder = dirname(join(root, page)); relative(root, folder) !== ''; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  return join(root, 'dev');
}
