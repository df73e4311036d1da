// The public types of an entry point as text: its exports, and the types of the package that they refer to. It is made
// from the declarations that the build rolls up, whose file names and short aliases differ from build to build.
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** The statement that declares a name, such as that of a variable. */
const statementOf = (declaration) => {
  let node = declaration;
  while (!ts.isSourceFile(node.parent) && !ts.isModuleBlock(node.parent)) node = node.parent;
  return node;
};

/** The order of literals in an inferred union depends on what else the program holds, so the report has one order. */
function inOneOrder(node) {
  const { transformed } = ts.transform(node, [
    (context) => {
      const visit = (child) => {
        const visited = ts.visitEachChild(child, visit, context);
        const isOfLiterals = ts.isUnionTypeNode(visited) && visited.types.every(ts.isLiteralTypeNode);
        if (!isOfLiterals) return visited;
        const textOf = (type) => type.getText(node.getSourceFile());
        const sorted = [...visited.types].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
        return context.factory.updateUnionTypeNode(visited, context.factory.createNodeArray(sorted));
      };
      return visit;
    },
  ]);
  return transformed[0];
}

/** The entry points of a package that have types: `{ name, types }`, with the path of the declarations. */
export function entriesOf({ folder, manifest }) {
  return Object.entries(manifest.exports)
    .filter(([, target]) => typeof target !== 'string' && target.types !== undefined)
    .map(([subpath, { types }]) => ({
      specifier: manifest.name + subpath.slice(1),
      types: join(folder, types),
      report: join(folder, 'api', `${subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-')}.api.md`),
    }));
}

/** The reports of entry points, by the path of each. */
export function apiReports(entries) {
  const missing = entries.find(({ types }) => !existsSync(types));
  if (missing !== undefined) throw new Error(`${missing.types} does not exist. Run npm run build first.`);
  const program = ts.createProgram(
    entries.map(({ types }) => types),
    // `types: []` and no library: names of other packages stay names.
    { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: [], noEmit: true },
  );
  const checker = program.getTypeChecker();
  return new Map(entries.map((entry) => [entry.report, reportOf(program, checker, entry)]));
}

function reportOf(program, checker, { specifier, types }) {
  const source = program.getSourceFile(types);
  // Declarations of one build lie beside each other, and those of dependencies elsewhere.
  const dist = /^.*?[\\/]dist(?=[\\/])/.exec(types)?.[0] ?? dirname(types);
  const isOwn = (node) => !relative(dist, node.getSourceFile().fileName).startsWith('..');
  const original = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const declarationsOf = (symbol) => (original(symbol).declarations ?? []).filter(isOwn);
  const textOf = (symbol) =>
    [
      ...new Set(
        declarationsOf(symbol)
          .filter((node) => !ts.isSourceFile(node))
          .map(statementOf),
      ),
    ]
      .map((node) => printer.printNode(ts.EmitHint.Unspecified, inOneOrder(node), node.getSourceFile()))
      .map((text) => text.replace(/^(export )?(declare )?/, ''));

  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source) ?? fail(`${types} exports nothing.`));
  const known = new Set(exported.map(original));
  const internal = [];
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      const target = symbol && original(symbol);
      const isTopLevel = target?.declarations?.some(
        (one) => isOwn(one) && !ts.isSourceFile(one) && ts.isSourceFile(statementOf(one).parent) && isNamed(one),
      );
      if (isTopLevel && !known.has(target)) {
        known.add(target);
        internal.push(target);
        for (const one of declarationsOf(target)) visit(statementOf(one));
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const symbol of exported)
    for (const one of declarationsOf(symbol)) if (!ts.isSourceFile(one)) visit(statementOf(one));

  const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const exports = exported.sort(byName).map((symbol) => {
    const texts = textOf(symbol);
    const target = original(symbol);
    if (texts.length === 0) return `export ${symbol.name}; // of another package`;
    const renamed = target.name === symbol.name ? '' : `\nexport { ${target.name} as ${symbol.name} };`;
    return `export ${texts.join('\nexport ')}${renamed}`;
  });
  const others = internal.sort(byName).map((symbol) => textOf(symbol).join('\n'));
  const block = (parts) => `\`\`\`ts\n${parts.join('\n\n')}\n\`\`\`\n`;
  const title = `# Types of ${specifier}\n\nWritten by \`npm run api\`.\n\n## Exports\n\n${block(exports)}`;
  return others.length === 0 ? title : `${title}\n## Types that they refer to\n\n${block(others)}`;
}

/** Whether a declaration introduces a name of its file, which excludes members and parameters. */
const isNamed = (node) =>
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isFunctionDeclaration(node) ||
  ts.isEnumDeclaration(node) ||
  ts.isModuleDeclaration(node) ||
  (ts.isVariableDeclaration(node) && ts.isSourceFile(node.parent.parent.parent));

function fail(message) {
  throw new Error(message);
}
