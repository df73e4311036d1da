export const targets: Readonly<Record<string, { readonly zig: string; readonly cpu: 'x64' | 'arm64' }>>;
export function targetOfThisMachine(): string | undefined;
