import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const text = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

it('the command asks for a Node that its dependencies run on', () => {
  const nodeOf = (manifest: string) => {
    const { engines } = JSON.parse(text(manifest)) as { engines: { node: string } };
    return engines.node.replace(/^>=/, '').split('.').map(Number);
  };
  const [major, minor = 0] = nodeOf('../package.json');
  // sharp asks for the newest.
  expect(nodeOf('../node_modules/sharp/package.json')).toEqual([major, minor, 0]);
  expect(text('../README.md')).toContain(`Node ${major}.${minor} or later`);
});
