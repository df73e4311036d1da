/** Where the generated file is. */
export const generatedFile: string;
/** Its text. */
export function bundleWorker(): Promise<string>;
