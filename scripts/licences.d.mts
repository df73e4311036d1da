interface Licences {
  readonly licences: ReadonlySet<string>;
  readonly by: ReadonlySet<string>;
}
export function isPermissive(licence: string): boolean;
export function licencesOfDependencies(): Map<string, Licences>;
export function refusedLicences(found: ReadonlyMap<string, Licences>): string[];
