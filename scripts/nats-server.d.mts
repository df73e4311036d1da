export const howToInstall: string;
export function findNatsServer(): string | undefined;
export function startNatsServer(
  program: string,
  options?: { readonly port?: number },
): Promise<{ readonly url: string; readonly ended: Promise<unknown>; stop(): Promise<void> }>;
