import { defineConfig, type Options } from 'tsup';

/**
 * The one bundler configuration: ESM only, and with every dependency left external, so that a package ships its own
 * code and nothing else. A package names its entry points and adds what differs. scripts/declarations.mjs writes the
 * types.
 */
export function libraryConfig(entry: Record<string, string>, overrides: Options = {}) {
  return defineConfig({
    entry,
    format: ['esm'],
    target: 'es2022',
    platform: 'neutral',
    tsconfig: 'tsconfig.build.json',
    // The code is not minified, so stack traces are readable, and a map would carry the sources a second time.
    sourcemap: false,
    clean: ['!**/*.d.ts'],
    treeshake: true,
    splitting: true,
    // `node:` tells bundlers and other runtimes what is a built-in; tsup would take it off.
    removeNodeProtocol: false,
    external: [/^node:/],
    plugins: [tablesThatBundlersDrop],
    ...overrides,
  });
}

/**
 * Makes tables of options and their defaults, which are calls that a bundler must suppose to have effects, expressions
 * that it drops where nothing reads them: a page has no options of optimizers.
 */
const tablesThatBundlersDrop: NonNullable<Options['plugins']>[number] = {
  name: 'tables that bundlers drop',
  renderChunk: (code) => ({
    code: code
      .replace(/^(var|const) (\w+) = (\{(?: .* |\n[\s\S]*?\n)\});$/gm, (statement, kind, name, table) =>
        /[(]|\.\.\./.test(table) ? `${kind} ${name} = /* @__PURE__ */ (() => (${table}))();` : statement,
      )
      .replace(/^((?:var|const) \w+ = )(defaultsOf\()/gm, '$1/* @__PURE__ */ $2'),
  }),
};
