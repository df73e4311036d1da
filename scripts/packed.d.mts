export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly homepage?: string;
  readonly bugs?: string;
  readonly author?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** The packages that are published, without those of `platforms`. */
export const published: readonly { readonly folder: string; readonly manifest: Manifest }[];
/** The packages of native binaries, one for each platform, which are published too. */
export const platforms: readonly { readonly folder: string; readonly manifest: Manifest }[];

/** The names of the entry points that are modules. */
export function specifiersOf(manifest: Manifest): string[];

/** Packs each package into a folder. Returns the path of each tarball by the name of its package. */
export function packAll(destination: string): Map<string, string>;

/** Installs a package's tarball in a new folder, with those of ours that it needs, and nothing optional. */
export function installPacked(name: string, tarballs: ReadonlyMap<string, string>, project: string): void;

/** Number of installed packages and their size in megabytes (10⁶ bytes). */
export function installedSize(project: string): { readonly packages: number; readonly megabytes: number };
