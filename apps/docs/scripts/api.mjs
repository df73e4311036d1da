// Writes the pages of the API into the built site, from the comments of the packages' sources: a site of its own, with
// its search, in the folder api. `npm run docs` calls it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, PageEvent } from 'typedoc';
import { accessible } from './api-page.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const root = join(folder, '..', '..');

/** Every entry point of the published packages that has types: its specifier by its source. */
const specifiers = new Map(
  readdirSync(join(root, 'packages')).flatMap((name) => {
    const manifest = join(root, 'packages', name, 'package.json');
    if (!existsSync(manifest)) return [];
    const { name: packageName, exports, private: isPrivate } = JSON.parse(readFileSync(manifest, 'utf8'));
    if (isPrivate === true) return [];
    return Object.entries(exports)
      .filter(([, target]) => target.types !== undefined)
      .map(([subpath, { types }]) => [
        join(root, 'packages', name, types.replace('./dist/', 'src/').replace('.d.ts', '.ts')),
        packageName + subpath.slice(1),
      ]);
  }),
);

const application = await Application.bootstrapWithPlugins({
  name: '@lmd',
  entryPoints: [...specifiers.keys()],
  tsconfig: join(root, 'tsconfig.declarations.json'),
  // npm run typecheck reports errors.
  skipErrorChecking: true,
  excludeInternal: true,
  // What a class inherits of TypeScript's own types has no source in the repository.
  excludeExternals: true,
  excludePrivate: true,
  readme: 'none',
  disableGit: true,
  basePath: root,
  // Paths are relative to the folder that all entry points are in.
  sourceLinkTemplate: 'https://github.com/lmd-js/lmd/blob/main/packages/{path}#L{line}',
  // A module has no list of its symbols in the navigation: it would be a button with a link in it, which screen readers
  // cannot use. The page of the module lists them.
  navigation: { includeFolders: false },
  navigationLeaves: [...specifiers.values()],
  favicon: join(root, 'apps', 'playground', 'public', 'icon.svg'),
  customCss: join(folder, 'scripts', 'api.css'),
  navigationLinks: { Documentation: '/' },
  // Shapes, such as [rows, columns], and tags of other tools are no mistakes.
  logLevel: 'Error',
});
const project = await application.convert();
if (project === undefined) process.exit(1);
for (const module of project.children ?? []) {
  const [source] = module.sources ?? [];
  const specifier = specifiers.get(source?.fullFileName);
  if (specifier === undefined) throw new Error(`${module.name} is no entry point.`);
  module.name = specifier;
}
application.renderer.on(PageEvent.END, (page) => {
  page.contents = accessible(page.contents);
});
await application.generateDocs(project, join(folder, 'dist', 'api'));
