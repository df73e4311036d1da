export const natsServerPackage: string;
export const howToInstall: string;
export function findNatsServer(): string | undefined;
export function startNatsServer(
  program: string,
  options?: { readonly port?: number; readonly storage?: string; readonly words?: readonly string[] },
): Promise<{ readonly url: string; readonly ended: Promise<unknown>; stop(signal?: string): Promise<void> }>;
