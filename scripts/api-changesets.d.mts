export function missingChangesets(folder: string): { readonly skipped?: string; readonly missing: readonly string[] };
