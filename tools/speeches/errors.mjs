/** A failure that a person can act on. Exit code 2: a mistake in what was typed or given, found before anything ran; 1: anything else. */
export class StudyError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'StudyError';
    this.exitCode = exitCode;
  }
}

/** Ctrl-C, after the running command has saved what it had. */
export class Interrupted extends Error {
  constructor() {
    super('Stopped; everything so far is saved.');
    this.name = 'Interrupted';
    this.exitCode = 130;
  }
}
