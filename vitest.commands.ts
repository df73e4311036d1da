import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('vitest.command-server.mjs', import.meta.url));

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs commands of the built `lmd`, whose path is given, one after another in one process, which the first of them
 * starts. A module that a command imports is loaded once: `close` before a file of that name changes.
 */
export class CommandServer {
  private child: ChildProcess | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly program: string,
    private readonly env: NodeJS.ProcessEnv = process.env,
  ) {}

  run(words: readonly string[], cwd: string): Promise<CommandResult> {
    const result = this.last.then(() => this.ask({ words, cwd }));
    this.last = result.catch(() => {});
    return result;
  }

  /** Ends the process; the next command starts another. */
  close(): void {
    this.child?.disconnect();
    this.child = undefined;
  }

  private async ask(request: { readonly words: readonly string[]; readonly cwd: string }): Promise<CommandResult> {
    if (this.child === undefined) {
      this.child = fork(script, [this.program], { env: this.env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      await answerOf<'ready'>(this.child);
    }
    this.child.send(request);
    return await answerOf<CommandResult>(this.child);
  }
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the process of the commands ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (answer) => {
      child.off('exit', onExit);
      resolve(answer as T);
    });
  });
}
