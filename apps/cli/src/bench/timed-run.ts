/** Does the work once, and waits for the result. */
export type TimedRun = () => Promise<void>;
