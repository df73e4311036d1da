import type { PartName } from '../study/schema.js';
import { type Block, heading, list, table, text } from './blocks.js';
import type { Evidence } from './evidence.js';
import { showOptions } from './format.js';

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

/** The number of finished trials, and which are missing; for a frozen study, why. */
export function statusBlocks(evidence: Evidence): Block[] {
  const { frozen } = evidence.study;
  return [...(frozen === undefined ? [] : [text(`Frozen: ${frozen}`)]), ...completeness(evidence)];
}

function completeness({ study, findings, plan, others }: Evidence): Block[] {
  const hashes = new Map(findings.map(({ trial, record }) => [trial.hash, record !== undefined]));
  const total = hashes.size;
  const done = [...hashes.values()].filter(Boolean).length;
  if (done === total) return [text(`Complete: all ${total} trials of the study are in the ledger.`)];
  const parts = [...new Set(study.order.map(({ part }) => part))];
  const count = (part: PartName) => {
    const own = findings.filter(({ trial }) => trial.part === part);
    const missing = own.filter(({ record }) => record === undefined);
    return { own, missing };
  };
  const rows = parts.map((part) => {
    const { own, missing } = count(part);
    return [part, String(own.length), String(own.length - missing.length), String(missing.length)];
  });
  const items = parts.flatMap((part) => {
    const { own, missing } = count(part);
    if (missing.length === 0) return [];
    if (missing.length === own.length) return [`${part}: all`];
    const groups = distinct(missing.map(({ trial }) => `${trial.format} seed ${trial.seed}`)).map((group) => {
      const inside = missing.filter(({ trial }) => `${trial.format} seed ${trial.seed}` === group);
      const names = distinct(
        inside.map(({ trial }) => `${trial.optimizer}${trial.variant === '' ? '' : ` ${trial.variant}`}`),
      );
      return `${group} (${names.length > 12 ? `${inside.length} trials` : names.join(', ')})`;
    });
    return [`${part}: ${groups.join('; ')}`];
  });
  const provisional = plan.provisional
    ? ' The search is not complete, so no winner is final and no later part has started.'
    : '';
  const unused =
    others > 0 ? ` ${others} records of the ledger belong to other configurations and are not included.` : '';
  return [
    text(
      `**Partial: ${done} of ${total} trials are in the ledger.** The results below include only these; a ` +
        'trial that two ' +
        `parts share is counted in both.${provisional}${unused}`,
    ),
    table(['part', 'trials', 'done', 'missing'], rows),
    text('Missing:'),
    list(items),
  ];
}

/** Machines, dates, commits and seeds from the ledger. */
export function provenanceSection({ study, findings }: Evidence): Block[] {
  const records = findings.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const unique = [...new Map(records.map((record) => [record.hash, record])).values()];
  const dates = unique.map(({ date }) => date).sort();
  const hours = unique.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  const day = (date: string | undefined) => date?.slice(0, 16).replace('T', ' ') ?? '–';
  const known = (values: readonly (string | undefined)[]) =>
    distinct(values.filter((value) => value !== undefined)).join('; ') || '–';
  const parameters = unique.find(({ result }) => result.parameters !== undefined)?.result.parameters;
  const { backend, data, model, batchSize, ...shared } = study.configuration;
  const count = parameters === undefined ? '' : `; ${parameters.toLocaleString('en')} parameters`;
  const others = Object.keys(shared).length === 0 ? '' : `; ${showOptions(shared)}`;
  const source = known(unique.map(({ result }) => result.data));
  const engines = known(
    unique.map(({ result, node }) => (result.device === undefined ? undefined : `${result.device}, Node ${node}`)),
  );
  return [
    heading('Setup'),
    list([
      `Data: ${source === '–' ? showOptions(data as object) : source}. Only the final runs use the test set, ` +
        'once each and once ' +
        'for each deployed format.',
      `Model: ${showOptions(model as object)}${count}.`,
      `Batch size ${String(batchSize ?? 64)}${others}. Learning rates have a linear warm-up over ` +
        `${100 * study.warmup} % of the steps and then a cosine decay to 0. Posterior means are evaluated.`,
      `Seeds: final ${study.final.seeds.join(', ')}; search ${study.search.seed}. A seed determines initial ` +
        'weights, data order and noise, and is the same for every optimizer and format.',
      `Machines: ${known(unique.map(({ machine }) => machine))}.`,
      `Engines: ${engines}; backend ${String(backend ?? 'cpu')}.`,
      `Code: ${distinct(unique.map(({ commit }) => `\`${commit}\``)).join(', ') || '–'}; ${distinct(
        unique.map(({ versions }) =>
          Object.entries(versions)
            .map(([name, version]) => `${name} ${version}`)
            .join(', '),
        ),
      ).join('; ')}.`,
      `Trials ended between ${day(dates[0])} and ${day(dates.at(-1))} UTC and took ${hours.toFixed(2)} hours.`,
    ]),
  ];
}
