export function judgeAudit(output: string): {
  readonly unanswered?: string;
  readonly fails: boolean;
  readonly lines: readonly string[];
};
