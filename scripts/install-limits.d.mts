/** Upper bounds of an installation, by package: the number of packages, and megabytes. */
export const installLimits: Readonly<Record<string, { readonly packages: number; readonly megabytes: number }>>;
export const entryLimits: Readonly<Record<string, number>>;
