/**
 * The one way in which packages compile AssemblyScript: to a module in hexadecimal, and to the TypeScript interface of
 * what it exports, with the names of parameters and the comments of the source. The compiler is the caller's.
 */

import { commentLines, width, wrapped } from './comments.shared.mjs';

/** Types of a kernel's parameters as TypeScript sees them. */
const types = { bool: 'boolean', f32: 'number', f64: 'number', i32: 'number', u32: 'number', usize: 'number' };

/**
 * Compiles `assembly/index.ts` of a package.
 *
 * @param asc the module `assemblyscript/asc`
 * @param folder of the package, as a path that ends with a slash
 * @param flags of the compiler beyond those that all share
 * @returns the module in hexadecimal, and the functions that it exports, by name
 */
export async function compileAssembly(asc, folder, flags) {
  const outputs = new Map();
  let functions = [];
  class Reader {
    afterInitialize(program) {
      functions = exportedFunctions(program.filesByName.get('assembly/index'));
    }
  }
  const { error, stderr } = await asc.main(
    [
      'assembly/index.ts',
      '--outFile=module.wasm',
      '--optimizeLevel=3',
      '--shrinkLevel=0',
      '--converge',
      '--noAssert',
      '--runtime=stub',
      '--importMemory',
      '--maximumMemory=65536',
      '--enable=simd',
      '--enable=bulk-memory',
      ...flags,
    ],
    { baseDir: folder, writeFile: (name, contents) => outputs.set(name, contents), transforms: [Reader] },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return { hex: Buffer.from(outputs.get('module.wasm')).toString('hex'), functions };
}

/** The generated file of a module: digits of bytes compress better than base64, in a page and in a package. */
export function moduleText(head, hex) {
  return `${head}\nexport const wasmHex =\n  '${hex}';\n`;
}

function exportedFunctions(entry) {
  const functions = [...entry.exports].map(([name, { declaration }]) => {
    const { parameters, returnType } = declaration.signature;
    return {
      name,
      comment: commentBefore(declaration.range.source.text, name),
      parameters: parameters.map((parameter) => ({ name: parameter.name.text, type: typeOf(name, parameter.type) })),
      returns: returnType.name.identifier.text === 'void' ? 'void' : typeOf(name, returnType),
    };
  });
  return functions.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function typeOf(kernel, { name }) {
  const type = types[name.identifier.text];
  if (type === undefined) throw new Error(`${kernel}: TypeScript sees no ${name.identifier.text}.`);
  return type;
}

/** The paragraphs of the comment that stands before an exported function. */
function commentBefore(source, name) {
  const start = source.search(new RegExp(`^export function ${name}\\(`, 'm'));
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(source.slice(0, start))?.[1];
  if (start < 0 || comment === undefined) throw new Error(`${name} has no comment.`);
  const text = comment.replace(/^[ \t]*\*? ?/gm, '').trim();
  return text.split(/\n(?=@)|\n\n/).map((paragraph) => paragraph.replace(/\s+/g, ' '));
}

/** `head`, the items and `tail` on one line where they fit, else an item a line. */
function list(indent, head, items, tail) {
  const line = `${indent}${head}${items.join(', ')}${tail}`;
  if (line.length <= width) return [line];
  return [`${indent}${head}`, ...items.map((item) => `${indent}  ${item},`), `${indent}${tail}`];
}

/** Whether a function does the part `from` to `to` of a range. */
export function isKernel({ parameters: [from, to] }) {
  return from?.name === 'from' && to?.name === 'to';
}

/**
 * An interface of exported functions.
 *
 * @param comment paragraphs
 */
export function interfaceText(name, comment, functions) {
  return [
    ...commentLines(comment, ''),
    `export interface ${name} {`,
    ...functions.flatMap((one) => [
      ...commentLines(one.comment, '  '),
      ...list(
        '  ',
        `${one.name}(`,
        one.parameters.map(({ name, type }) => `${name}: ${type}`),
        `): ${one.returns};`,
      ),
    ]),
    '}',
    '',
  ].join('\n');
}

/**
 * The arguments of kernels after their ranges: an interface of them by name, and functions that put them in order.
 *
 * @param names of the interface and of the record of functions
 */
export function argumentsText({ type, order }, kernels) {
  const rest = kernels.map(({ name, parameters }) => ({ name, parameters: parameters.slice(2) }));
  const value = ({ name, type }) => (type === 'boolean' ? `Number(${name})` : name);
  return [
    '/** The arguments of each kernel after its range, by name. */',
    `export interface ${type} {`,
    ...rest.flatMap(({ name, parameters }) => [
      `  readonly ${name}: {`,
      ...parameters.map((parameter) => `    readonly ${parameter.name}: ${parameter.type};`),
      '  };',
    ]),
    '}',
    '',
    '/** Puts the arguments of each kernel in the order in which it takes them, as numbers. */',
    `export const ${order}: {`,
    `  readonly [Name in keyof ${type}]: (named: ${type}[Name]) => number[];`,
    '} = {',
    ...rest.flatMap(({ name, parameters }) => {
      const [names, values] = [parameters.map((parameter) => parameter.name).join(', '), parameters.map(value)];
      const line = `  ${name}: ({ ${names} }) => [${values.join(', ')}],`;
      if (line.length <= width) return [line];
      const head = `  ${name}: ({ ${names} }) =>`;
      const opened =
        head.length <= width
          ? [head]
          : [`  ${name}: ({`, ...wrapped(`${names},`, width - 4).map((one) => `    ${one}`), '  }) =>'];
      const body = `    [${values.join(', ')}],`;
      return body.length <= width
        ? [...opened, body]
        : [...opened, '    [', ...wrapped(`${values.join(', ')},`, width - 6).map((one) => `      ${one}`), '    ],'];
    }),
    '};',
    '',
  ].join('\n');
}
