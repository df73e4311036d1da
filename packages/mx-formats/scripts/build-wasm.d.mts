/** The generated files: path and text. */
export function compile(): Promise<[path: string, text: string][]>;
