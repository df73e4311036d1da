/** node dev/figures/architecture.mjs: the figure of docs/architecture.md, from the packages' manifests. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Graph, layout } from '@dagrejs/dagre';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const figure = join(root, 'docs/architecture.svg');

/** Our packages and commands with those of ours that each depends on, at run time. */
export function packages() {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  );
  const manifests = folders
    .map((folder) => join(root, folder, 'package.json'))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')))
    // Test data, which no package imports when it runs.
    .filter(({ name }) => name !== '@lmd/mx-golden');
  const names = new Set(manifests.map(({ name }) => name));
  return new Map(
    manifests.map(({ name, dependencies = {} }) => [name, Object.keys(dependencies).filter((one) => names.has(one))]),
  );
}

/** The dependencies that no other dependency implies. */
function direct(name, lower) {
  const reaches = (from, to) => lower.get(from).some((one) => one === to || reaches(one, to));
  const all = lower.get(name);
  return all.filter((one) => !all.some((other) => other !== one && reaches(other, one)));
}

/** The graph, laid out from top to bottom. */
function laidOut() {
  const lower = packages();
  const graph = new Graph();
  graph.setGraph({ ranksep: 44, nodesep: 20, edgesep: 12, marginx: 20, marginy: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of lower.keys()) graph.setNode(name, { width: 148, height: 34 });
  for (const name of lower.keys()) for (const one of direct(name, lower)) graph.setEdge(name, one);
  layout(graph);
  return graph;
}

const round = (value) => Math.round(value * 10) / 10;

/** A smooth curve through the points of an edge. */
function curve([first, ...rest]) {
  const parts = rest.map((point, i) => {
    const from = i === 0 ? first : rest[i - 1];
    const middle = round((from.y + point.y) / 2);
    return `C${round(from.x)} ${middle} ${round(point.x)} ${middle} ${round(point.x)} ${round(point.y)}`;
  });
  return `M${round(first.x)} ${round(first.y)}${parts.join('')}`;
}

/** The figure: a box for each package above those it builds on; applications in another color. */
export function architectureFigure() {
  const graph = laidOut();
  const { width, height } = graph.graph();
  const arrows = graph.edges().map((edge) => {
    return `<path class="arrow" d="${curve(graph.edge(edge).points)}" marker-end="url(#head)"/>`;
  });
  const boxes = graph.nodes().map((name) => {
    const { x, y, width, height } = graph.node(name);
    const kind = /cli|studies/.test(name) ? 'application' : 'package';
    const corner = `x="${round(x - width / 2)}" y="${round(y - height / 2)}"`;
    const label = `<text x="${round(x)}" y="${round(y + 5)}">${name}</text>`;
    return `<rect class="${kind}" ${corner} width="${width}" height="${height}" rx="5"/>${label}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" role="img" aria-labelledby="title description">
<title id="title">The packages and what they build on</title>
<desc id="description">Each package is a box, above those it depends on. Arrows that others imply are left out.</desc>
<style>
text { font: 13px system-ui, sans-serif; fill: #222; text-anchor: middle } .paper { fill: #fff }
.package { fill: #e8f0fb; stroke: #1a5fb4 } .application { fill: #fdf0e0; stroke: #c64600 } .arrow { fill: none; stroke: #777 }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>
<rect class="paper" width="${round(width)}" height="${round(height)}"/>
${arrows.join('\n')}
${boxes.join('\n')}
</svg>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(figure, architectureFigure());
