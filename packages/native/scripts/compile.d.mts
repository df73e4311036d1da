/** The words of a command. */
export type Command = readonly string[];
export type Compiler =
  | { readonly cc: Command; readonly zig?: undefined }
  | { readonly cc?: undefined; readonly zig: Command };
export function failureOf(command: Command, args: readonly string[], options?: object): Promise<string | undefined>;
export function findCompiler(): Promise<Command | undefined>;
export function findZig(): Promise<Command | undefined>;
export function compileAddOn(name: string, compiler: Compiler): Promise<string>;
export function compileCheck(name: string, compiler: Compiler, options: readonly string[], out: string): Promise<void>;
