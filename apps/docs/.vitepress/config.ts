import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const here = fileURLToPath(import.meta.url);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const repository = 'https://github.com/lmd-js/lmd';
/** A log-normal density. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M2 28C7 28 8 5 12 5s6 17 18 23z" fill="#2a78d6"/></svg>';
const page = (text: string, link: string) => ({ text, link });
const docs = (text: string, name: string) => page(text, `/docs/${name}`);

/** Every published package, by what its manifest says. */
const packages = readdirSync(join(root, 'packages')).flatMap((folder) => {
  const path = join(root, 'packages', folder, 'package.json');
  if (!existsSync(path)) return [];
  const { name, private: isPrivate } = JSON.parse(readFileSync(path, 'utf8'));
  return isPrivate === true ? [] : [{ name: name as string, folder }];
});

const decisions = readdirSync(join(root, 'docs', 'decisions'))
  .filter((name) => /^\d/.test(name))
  .map((name) => {
    const title = /^# (.*)$/m.exec(readFileSync(join(root, 'docs', 'decisions', name), 'utf8'))![1]!;
    return page(title, `/docs/decisions/${name.replace('.md', '')}`);
  });

const guides = [
  {
    text: 'Start',
    items: [
      docs('Tutorial', 'tutorial'),
      docs('Playground', 'playground'),
      docs('When to use LMD', 'when-to-use-lmd'),
      docs('Theory', 'theory'),
      page('The lmd command', '/apps/cli/README'),
      page('Configuration', '/apps/cli/CONFIGURATION'),
    ],
  },
  {
    text: 'Guides',
    items: [
      docs('Your own pictures and text', 'own-data'),
      docs("Choose LMD's settings", 'choosing-settings'),
      docs('Optimizers', 'optimizers'),
      docs('MX formats', 'mx-formats'),
      docs('Exact products', 'exact-products'),
      docs('Quantize your weights', 'quantize-weights'),
      docs('Fine-tune a model', 'fine-tuning'),
      docs('Reproduce a study', 'reproduce-a-study'),
      docs('Distributed training', 'distributed'),
      page('In a TensorFlow.js program', '/packages/tfjs/README'),
      page('Use a model', '/packages/inference/README'),
      docs('Neighbouring ideas', 'neighbours'),
    ],
  },
  {
    text: 'Extend',
    items: [
      docs('Extend the command', 'extending'),
      docs('Write a backend', 'write-a-backend'),
      docs('Write an optimizer', 'write-an-optimizer'),
      docs('Write a plugin', 'write-a-plugin'),
      docs('Add a kernel', 'adding-a-kernel'),
    ],
  },
  {
    text: 'Evidence',
    items: [
      page('Studies', '/docs/studies/README'),
      docs('Performance', 'performance'),
      docs('Performance of models', 'performance-models'),
      docs('Measurements', 'measurements'),
      docs('Backends and what they have', 'backends'),
      docs('Sizes and installs', 'installs'),
    ],
  },
  {
    text: 'The project',
    items: [
      docs('Architecture', 'architecture'),
      page('Decisions', '/docs/decisions/README'),
      docs('Versions', 'versioning'),
      docs('How to cite', 'cite'),
      docs('Releasing', 'releasing'),
      docs('Style', 'style'),
      docs('Examples in the documentation', 'examples'),
      docs('Licences', 'licences'),
    ],
  },
];

const packagePages = [
  { text: 'Guides', items: [page('All guides', '/docs/tutorial')] },
  {
    text: 'Packages',
    items: [
      page('@lmd/cli', '/apps/cli/README'),
      ...packages.map(({ name, folder }) => page(name, `/packages/${folder}/README`)),
    ],
  },
  {
    text: 'Changelogs',
    items: [
      page('@lmd/cli', '/apps/cli/CHANGELOG'),
      // A package that was never released has none.
      ...packages
        .filter(({ folder }) => existsSync(join(root, 'packages', folder, 'CHANGELOG.md')))
        .map(({ name, folder }) => page(name, `/packages/${folder}/CHANGELOG`)),
    ],
  },
];

export default defineConfig({
  title: '@lmd',
  description: 'Multiplicative training in low precision, in TypeScript',
  lang: 'en',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  // The pages are those of the repository, at the same paths, so that links hold in both.
  srcDir: root,
  srcExclude: [
    '**/node_modules/**',
    '.*/**',
    '*.md',
    'build/**',
    'runs/**',
    'dev/**',
    'apps/docs/README.md',
    'docs/data/**',
    'packages/*/{api,test,templates,platforms}/**',
    'packages/{mx-golden,report}/**',
  ],
  rewrites: { 'apps/docs/site/index.md': 'index.md' },
  outDir: fileURLToPath(new URL('../dist', import.meta.url)),
  cacheDir: fileURLToPath(new URL('../node_modules/.vitepress', import.meta.url)),
  lastUpdated: false,
  vite: {
    plugins: [
      {
        // Pages lie outside this package, and import what only this package depends on.
        name: 'vue of this package',
        enforce: 'pre',
        resolveId(id, _, options) {
          return /^vue(\/|$)/.test(id) ? this.resolve(id, here, { ...options, skipSelf: true }) : null;
        },
      },
    ],
    build: { target: 'es2022' },
    worker: { format: 'es' },
  },
  // VitePress gives the main landmark to every page but a start page.
  transformHtml: (html) => html.replace('<div class="VPHome"', '<div class="VPHome" role="main"'),
  markdown: {
    math: true,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (markdown) => {
      // Code without a language, where it is wider than the page, is scrolled with the keyboard too.
      const code = markdown.renderer.rules.code_block!;
      markdown.renderer.rules.code_block = (tokens, index, options, env, self) => {
        tokens[index]!.attrSet('tabindex', '0');
        return code(tokens, index, options, env, self);
      };
      const inherited = markdown.renderer.rules.link_open!;
      markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
        const token = tokens[index]!;
        token.attrSet('href', ofSite(token.attrGet('href') ?? '', env.relativePath));
        return inherited(tokens, index, options, env, self);
      };
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    // Its accessible name is its text.
    notFound: { linkLabel: 'Take me home' },
    outline: [2, 3],
    nav: [
      page('Guide', '/docs/tutorial'),
      page('Packages', '/packages/core/README'),
      { text: 'Playground', link: '/playground/index.html', target: '_self' },
      { text: 'API', link: '/api/index.html', target: '_self' },
      page('Studies', '/docs/studies/README'),
    ],
    // A list for each part of the site: one that folds has buttons with links in them, which screen readers cannot use.
    sidebar: {
      '/': guides,
      '/packages/': packagePages,
      '/apps/': packagePages,
      '/docs/decisions/': [{ text: 'Decisions', items: [page('All', '/docs/decisions/README'), ...decisions] }],
    },
    socialLinks: [{ icon: 'github', link: repository }],
    footer: { message: 'Apache-2.0. LMD is a reconstruction from what its paper publishes.' },
  },
});

/** A link to a file that is no page of the site leads to the repository. */
function ofSite(href: string, from: string): string {
  if (href === '' || /^([a-z]+:|#|\/)/i.test(href)) return href;
  const [path = '', hash] = href.split('#');
  const target = posix.normalize(posix.join(posix.dirname(from), path));
  const isPage = path.endsWith('.md') && target.includes('/') && !/^(dev|\.[^/]+)\//.test(target);
  if (isPage) return href;
  if (!existsSync(join(root, target))) {
    throw new Error(`${from}: the link ${href} names no file of the repository.`);
  }
  return `${repository}/blob/main/${target}${hash === undefined ? '' : `#${hash}`}`;
}
