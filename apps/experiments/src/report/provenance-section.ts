import type { PartName } from '../study/schema.js';
import { type Block, heading, list, table, text } from './blocks.js';
import type { Evidence } from './evidence.js';

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

/** How much of the study is there, and which trials are missing. */
export function statusBlocks(evidence: Evidence): Block[] {
  const { study, data } = evidence;
  if (data.kind === study.data.kind) return completeness(evidence);
  const warning = `**These runs are on ${data.kind}, not on ${study.data.kind}, whose files were not there.** It is another task: compare nothing with runs on ${study.data.kind}.`;
  return [text(warning), ...completeness(evidence)];
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
    const groups = distinct(missing.map(({ trial }) => `${trial.config.format} seed ${trial.config.seed}`)).map(
      (group) => {
        const inside = missing.filter(({ trial }) => `${trial.config.format} seed ${trial.config.seed}` === group);
        const names = distinct(
          inside.map(({ trial }) => `${trial.rule}${trial.variant === '' ? '' : ` ${trial.variant}`}`),
        );
        return `${group} (${names.length > 12 ? `${inside.length} trials` : names.join(', ')})`;
      },
    );
    return [`${part}: ${groups.join('; ')}`];
  });
  return [
    text(
      `**Partial: ${done} of ${total} trials are in the ledger.** What follows shows those alone; nothing is filled in, and a trial that two parts share counts in both.${plan.provisional ? ' The search is not complete, so no winner is final and no later part has begun.' : ''}${others > 0 ? ` ${others} records of the ledger belong to other configurations and are left out.` : ''}`,
    ),
    table(['part', 'trials', 'done', 'missing'], rows),
    text('Missing:'),
    list(items),
  ];
}

/** Machines, dates, commits and seeds, as the ledger has them. */
export function provenanceSection({ study, data, findings }: Evidence): Block[] {
  const records = findings.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const unique = [...new Map(records.map((record) => [record.hash, record])).values()];
  const dates = unique.map(({ date }) => date).sort();
  const hours = unique.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / 3600;
  const day = (date: string | undefined) => date?.slice(0, 16).replace('T', ' ') ?? '–';
  const { model } = study;
  const parameters = unique[0]?.result.parameters;
  return [
    heading('How it was made'),
    list([
      `Data: ${data.kind}${data.kind === 'synthetic' ? '' : `, 60,000 training images of which ${data.validation} are held out for validation (split of seed 0), 10,000 test images. The test set is used by the final runs alone, once each and once for each deployed format`}.`,
      `Model: ViT, ${model.width} wide, ${model.depth} layers, ${model.heads} heads, patches of ${model.patchSize}×${model.patchSize}, ${model.pooling} pooling${parameters === undefined ? '' : `, ${parameters.toLocaleString('en')} parameters`}. Batch ${study.batchSize}; learning rates rise over ${100 * study.warmup} % of the steps and fall to 0 by a cosine. Evaluated weights are posterior means.`,
      `Seeds: final ${study.final.seeds.join(', ')}; search ${study.search.seed}. A seed sets initial weights, data order and noise, the same for every rule and format.`,
      `Machines: ${distinct(unique.map(({ machine }) => machine)).join('; ') || '–'}.`,
      `Engines: ${distinct(unique.map(({ result, node }) => `${result.device}, Node ${node}`)).join('; ') || '–'}.`,
      `Code: ${distinct(unique.map(({ commit }) => `\`${commit}\``)).join(', ') || '–'}; ${distinct(
        unique.map(({ versions }) =>
          Object.entries(versions)
            .map(([name, version]) => `${name} ${version}`)
            .join(', '),
        ),
      ).join('; ')}.`,
      `Trials ended between ${day(dates[0])} and ${day(dates.at(-1))} UTC and took ${hours.toFixed(2)} hours of processor time.`,
    ]),
  ];
}
