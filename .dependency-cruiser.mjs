/**
 * The one direction of dependency: what each package may import of the others. Tests may also use what their package
 * lists in devDependencies; the library code may not.
 */
const allowed = {
  core: [],
  'mx-formats': [],
  native: [],
  create: [],
  safetensors: [],
  report: [],
  'mx-golden': [],
  autograd: ['core'],
  models: ['core', 'mx-formats'],
  onnx: ['core', 'models'],
  training: ['core', 'autograd', 'safetensors'],
  data: ['core', 'training', 'safetensors'],
  distributed: ['core', 'training'],
  backends: ['core', 'mx-formats', 'native'],
  inference: ['core', 'mx-formats', 'safetensors', 'models', 'training', 'data', 'backends'],
  tfjs: ['core', 'mx-formats', 'backends'],
  // The reference backend, beside which the command measures speed, is bundled.
  conformance: ['core', 'autograd', 'mx-formats', 'models', 'mx-golden', 'backends'],
};

const tests = '(\\.test\\.ts$|/test/|/testing/|\\.config\\.ts$)';

export default {
  forbidden: [
    ...Object.entries(allowed).map(([name, lower]) => ({
      name: `layering-${name}`,
      comment: `@lmd/${name} may import ${lower.length === 0 ? 'no other package of ours' : lower.map((n) => `@lmd/${n}`).join(', ')}.`,
      severity: 'error',
      from: { path: `^packages/${name}/`, pathNot: tests },
      to: { path: `^(packages/(?!(${[name, ...lower].join('|')})/)|apps/)` },
    })),
    {
      name: 'no-apps-in-packages',
      comment: 'Nothing points upward: a package never imports an application, not even in a test.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
    {
      name: 'public-entries-only',
      comment: "A package is reached by its name and its entry points, never by a path into another's source.",
      severity: 'error',
      from: { path: '^(packages|apps(?:/examples)?)/([^/]+)/' },
      to: {
        path: '^(packages|apps(?:/examples)?)/([^/]+)/',
        pathNot: '^$1/$2/',
        dependencyTypesNot: ['aliased-tsconfig-paths', 'aliased-workspace', 'npm', 'npm-dev', 'npm-peer'],
      },
    },
    {
      name: 'command-below-studies',
      comment: 'The command knows nothing of the studies and the examples, which use it.',
      severity: 'error',
      from: { path: '^apps/cli/' },
      to: { path: '^apps/(studies|examples)/' },
    },
    {
      name: 'examples-use-packages',
      comment:
        "An example stands for a user's program: it imports packages by their entries, and no other application.",
      severity: 'error',
      from: { path: '^apps/examples/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/examples/$1/' },
    },
    {
      name: 'nothing-ships-dev',
      comment:
        'Benchmarks, engines, golden files, peers and parity checks serve development; what ships never imports them.',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: tests },
      to: { path: '^(dev|scripts)/' },
    },
    {
      name: 'no-cycles',
      comment: 'Types included: what two files say of each other belongs into a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-node-in-libraries',
      comment: 'Library code runs in browsers too; what needs Node stands under a /node entry.',
      severity: 'error',
      from: { path: '^packages/', pathNot: [tests, '/src/node/', '/scripts/'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-undeclared',
      comment: 'Every import is declared in the package that makes it.',
      severity: 'error',
      from: { path: '^(packages|apps)/' },
      to: {
        // Global types alone, which the cruiser finds no module for.
        pathNot: '^@webgpu/types$',
        dependencyTypes: ['unknown', 'undetermined', 'npm-no-pkg', 'npm-unknown'],
        // An entry in peerDependenciesMeta counts as a list of its own that is none of the known ones.
        dependencyTypesNot: ['npm-peer'],
      },
    },
    {
      name: 'no-dev-dependency-in-libraries',
      comment:
        'What is bundled is listed with its notice: fastest-levenshtein, so that @lmd/core depends on nothing, the error ' +
        'function of stdlib, so that @lmd/backends does not bring 149 packages, and the encoder and one vocabulary of ' +
        'gpt-tokenizer, so that @lmd/data does not bring 27 MB.',
      severity: 'error',
      from: { path: '^packages/', pathNot: [tests, '/scripts/'] },
      to: {
        path: '.',
        pathNot: 'fastest-levenshtein|@stdlib/math-base-special-erf|gpt-tokenizer',
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Templates are files of the projects that they become.
    exclude: { path: '(/dist/|/\\.vitest/|/assembly/|^packages/create/templates/)' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
