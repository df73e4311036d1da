/** A cell: text, shown as it is. */
export interface Table {
  readonly columns: readonly { readonly title: string; readonly align: 'left' | 'right' }[];
  readonly rows: readonly (readonly string[])[];
}

/** A line of a plot; a gap where a value is not finite. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly halfWidth?: number | undefined }[];
}

export interface Plot {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xScale: 'linear' | 'log';
  /** Names of x = 0, 1, …, where x is a category. */
  readonly categories?: readonly string[];
  readonly yPercent: boolean;
  readonly series: readonly Series[];
}

/** What a report is made of, rendered to Markdown and to HTML alike. Plots are in the HTML alone. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'plot'; readonly plot: Plot };

export interface Report {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export const heading = (text: string): Block => ({ kind: 'heading', text });
export const text = (content: string): Block => ({ kind: 'text', text: content });
export const list = (items: readonly string[]): Block => ({ kind: 'list', items });
export const plot = (content: Plot): Block => ({ kind: 'plot', plot: content });

/** A table whose first `leftColumns` columns are text, and the others numbers. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[], leftColumns = 1): Block {
  return {
    kind: 'table',
    table: {
      columns: titles.map((title, index) => ({ title, align: index < leftColumns ? 'left' : 'right' })),
      rows,
    },
  };
}
