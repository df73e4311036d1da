export interface ApiEntry {
  readonly specifier: string;
  readonly types: string;
  readonly report: string;
}
export function entriesOf(given: {
  readonly folder: string;
  readonly manifest: {
    readonly name: string;
    readonly exports: Readonly<Record<string, string | { readonly types?: string }>>;
  };
}): ApiEntry[];
export function apiReports(entries: readonly ApiEntry[]): Map<string, string>;
