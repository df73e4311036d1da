import { describeValue, LmdError } from './errors.js';

/**
 * What an object that passes from one package to another says about itself. The version is a literal in the source of
 * whoever wrote the object, since code written for one version does not follow the next by itself.
 */
export interface ContractMarker<SpecVersion extends string = string> {
  /** Version of the contract that the object implements. Without it, version 1. */
  readonly specVersion?: SpecVersion;
  /** Package that made the object, with its version, for errors: `my-optimizers 1.2.0`. */
  readonly madeBy?: string;
}

/** One side of a boundary: what is expected, and by whom. */
export interface ExpectedContract {
  /** Subject of errors, with its name if it has one: `The optimizer "lion"`. */
  readonly owner: string;
  /** Version that the receiver implements: `lmd-optimizer-v1`. */
  readonly specVersion: string;
  /** Package that defines the contract, with its version: `@lmd/core 0.2.0`. */
  readonly definedBy: string;
  /** Package that receives the object, with its version: `@lmd/training 0.2.0`. Default: `definedBy`. */
  readonly receiver?: string | undefined;
  /** How to get an object of this kind. */
  readonly remedy: string;
}

/** What the marker of an object says: `lmd-optimizer-v1` is version 1 of `optimizer`. Undefined for another text. */
function parse(specVersion: unknown): { readonly kind: string; readonly version: number } | undefined {
  const [, kind, version] = (typeof specVersion === 'string' && /^lmd-([a-z]+)-v(\d+)$/.exec(specVersion)) || [];
  return kind === undefined ? undefined : { kind, version: Number(version) };
}

/** The contract that an object carries a version of: `backend`, `model`. Undefined without a marker. */
export const contractOf = (value: object): string | undefined => parse((value as ContractMarker).specVersion)?.kind;

/** ` of my-optimizers 1.2.0`, to append to the name of an object; empty if it does not say who made it. */
export const ofMaker = ({ madeBy }: ContractMarker): string => (typeof madeBy === 'string' ? ` of ${madeBy}` : '');

/** `@lmd/core` of `@lmd/core 0.1.0`. */
const packageOf = (madeBy: string): string => madeBy.replace(/ \S*$/, '');

/** What to do about an object that another copy of the package has made; undefined for one of another package. */
export function remedyOfCopies({ madeBy }: ContractMarker, copy: string): string | undefined {
  const name = packageOf(copy);
  if (typeof madeBy !== 'string' || madeBy === copy || packageOf(madeBy) !== name) return undefined;
  return `Two copies of ${name} are installed. Keep one; npm ls ${name} shows what requires each.`;
}

/**
 * Checks the contract version of an object that another package, or another copy of this one, may have made. Copies of
 * different releases work together as long as the version of the contract is the same.
 *
 * @throws LmdError `INVALID_ARGUMENT` for an object of another contract or a marker that is not one; `UNSUPPORTED` for
 *   another version, naming both sides and what to install
 */
export function checkContractVersion(value: object, expected: ExpectedContract): void {
  const { owner, specVersion: needed, definedBy, receiver = definedBy, remedy } = expected;
  const { specVersion, madeBy } = value as { readonly specVersion?: unknown; readonly madeBy?: unknown };
  const refuse = (
    code: 'INVALID_ARGUMENT' | 'UNSUPPORTED',
    member: string,
    problem: string,
    advice: string,
  ): LmdError =>
    new LmdError(code, problem, { subject: member, value: (value as Record<string, unknown>)[member], remedy: advice });
  if (madeBy !== undefined && typeof madeBy !== 'string') {
    const advice = 'It must be the name of a package and its version, such as "my-package 1.0.0", or absent.';
    throw refuse('INVALID_ARGUMENT', 'madeBy', `${owner} has madeBy = ${describeValue(madeBy)}.`, advice);
  }
  const { kind, version } = parse(needed)!;
  if (specVersion === undefined && version === 1) return;
  const given = specVersion === undefined ? { kind, version: 1 } : parse(specVersion);
  if (given === undefined) {
    const advice = `It must be "${needed}", the version of the contract that it implements.`;
    throw refuse(
      'INVALID_ARGUMENT',
      'specVersion',
      `${owner} has specVersion = ${describeValue(specVersion)}.`,
      advice,
    );
  }
  if (given.kind !== kind) {
    const problem = `${owner} is of another kind: its specVersion is ${describeValue(specVersion)}, not "${needed}".`;
    throw refuse('INVALID_ARGUMENT', 'specVersion', problem, remedy);
  }
  if (given.version === version) return;
  const named = specVersion === undefined ? `no specVersion, which means lmd-${kind}-v1` : specVersion;
  const made = typeof madeBy === 'string' ? packageOf(madeBy) : 'the package that it comes from';
  const [older, newer] = given.version < version ? [made, packageOf(receiver)] : [packageOf(receiver), made];
  throw refuse(
    'UNSUPPORTED',
    'specVersion',
    `${owner} has ${named}, but ${receiver}${receiver === definedBy ? '' : `, with ${definedBy},`} takes ${needed}.`,
    remedyOfCopies(value as ContractMarker, definedBy) ??
      `Upgrade ${older}, or install a version of ${newer} for lmd-${kind}-v${Math.min(given.version, version)}.`,
  );
}
