import type { Report } from '@lmd/report';
import { text } from './blocks.js';
import { bytesSection } from './bytes-section.js';
import { codesSection } from './codes-section.js';
import type { Evidence } from './evidence.js';
import { faultsSection } from './faults-section.js';
import { deploySection, finalSection } from './final-section.js';
import { layersSection } from './layers-section.js';
import { provenanceSection, statusBlocks } from './provenance-section.js';
import { samplesSection } from './samples-section.js';
import { searchSection } from './search-section.js';
import { signalSection } from './signal-section.js';
import { summarySection } from './summary-section.js';
import { sweepSection } from './sweep-section.js';
import { ablationSection, governsSection } from './variants-section.js';

/** The whole report: the answer, the question, the completeness, the results, and last the setup. */
export function composeReport(evidence: Evidence): Report {
  const { study } = evidence;
  return {
    title: study.title,
    blocks: [
      ...(study.answer === undefined ? [] : [text(study.answer)]),
      text(study.question),
      ...statusBlocks(evidence),
      ...summarySection(evidence),
      ...finalSection(evidence),
      ...bytesSection(evidence),
      ...deploySection(evidence),
      ...faultsSection(evidence),
      ...samplesSection(evidence),
      ...sweepSection(evidence),
      ...layersSection(evidence),
      ...signalSection(evidence),
      ...codesSection(evidence),
      ...ablationSection(evidence),
      ...governsSection(evidence),
      ...searchSection(evidence),
      ...provenanceSection(evidence),
    ],
  };
}
