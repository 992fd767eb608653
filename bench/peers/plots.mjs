// Draws the results as SVG, to be read in light and in dark.
import { count, KINDS } from './tables.mjs';

const WIDTH = 860;
const STYLE = `<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .end { text-anchor: end } .middle { text-anchor: middle }
  .page { fill: #ffffff } .grid { stroke: #d1d9e0; stroke-width: 1 } .s0 { stroke: #0969da; fill: #0969da } .s1 { stroke: #bc4c00; fill: #bc4c00 } .s2 { stroke: #8250df; fill: #8250df }
  .range { stroke-width: 4 } .line { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .page { fill: #0d1117 } .grid { stroke: #3d444d } .s0 { stroke: #58a6ff; fill: #58a6ff } .s1 { stroke: #f0883e; fill: #f0883e } .s2 { stroke: #bc8cff; fill: #bc8cff }
    .line { fill: none }
  }
</style>`;

function svg(height, title, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">
${STYLE}
<rect width="${WIDTH}" height="${height}" class="page"/>
${parts.join('\n')}
</svg>
`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function text(x, y, words, style = '') {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${style}">${escape(words)}</text>`;
}

function line(x1, y1, x2, y2, style) {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" class="${style}"/>`;
}

/** For each contender and count of clients a dot at the median and a line from there to the 99th percentile. Milliseconds, logarithmic. */
export function latencyPlot(counts, results) {
  const [left, right, top, row] = [310, 20, 56, 16 + 6 * counts.length];
  const all = results.flatMap(({ figures }) => figures.flatMap(({ p50, p99 }) => [p50, p99]));
  const [from, to] = [Math.floor(Math.log10(Math.min(...all))), Math.ceil(Math.log10(Math.max(...all)))];
  const x = (ms) => left + ((Math.log10(ms) - from) / (to - from)) * (WIDTH - left - right);
  const lines = KINDS.flatMap(({ title, has }) => [{ title }, ...results.filter(has)]);
  const bottom = top + lines.length * row;
  const decades = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  const named = (ms) => (ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`);
  return svg(bottom + 28, 'Acquire and release: median and 99th percentile', [
    text(10, 20, 'Acquire and release: from the median (dot) to the 99th percentile', 'title'),
    ...legend(left, counts.map((clients) => `${clients} client${clients === 1 ? '' : 's'}`)),
    ...decades.flatMap((ms) => [line(x(ms), top, x(ms), bottom, 'grid'), text(x(ms), bottom + 18, named(ms), 'middle')]),
    ...lines.flatMap(({ title, label, figures = [] }, index) => {
      const y = top + index * row;
      const name = title ?? label.replaceAll('`', '');
      return [
        text(title === undefined ? left - 12 : 10, y + row / 2 + 4, name, title === undefined ? 'end' : 'title'),
        ...figures.flatMap(({ p50, p99 }, client) => {
          const at = y + 11 + client * 6;
          return [line(x(p50), at, x(p99), at, `range s${client}`), `<circle cx="${x(p50).toFixed(1)}" cy="${at}" r="4" class="s${client}"/>`];
        }),
      ];
    }),
  ]);
}

/** Memory over a run of requests. */
export function memoryPlot(points) {
  const [left, right, top, bottom] = [60, 40, 60, 280];
  const { requests } = points.at(-1);
  const most = Math.ceil(Math.max(...points.map(({ mib }) => mib)) / 20) * 20;
  const x = (at) => left + (at / requests) * (WIDTH - left - right);
  const y = (mib) => bottom - (mib / most) * (bottom - top);
  const steps = Array.from({ length: most / 20 + 1 }, (_, index) => index * 20);
  const curve = (key, style) => `<polyline class="line ${style}" points="${points.map((point) => `${x(point.requests).toFixed(1)},${y(point[key]).toFixed(1)}`).join(' ')}"/>`;
  return svg(bottom + 34, 'Memory of the sidecar over its requests', [
    text(10, 20, 'Memory of the sidecar in MiB over its requests; each lease has a new name', 'title'),
    ...legend(left, ['resident', 'of that its own']),
    ...steps.flatMap((mib) => [line(left, y(mib), WIDTH - right, y(mib), 'grid'), text(left - 8, y(mib) + 4, String(mib), 'end')]),
    ...[0, 0.25, 0.5, 0.75, 1].map((part) => text(x(requests * part), bottom + 20, count(requests * part), 'middle')),
    curve('mib', 's0'),
    curve('ownMib', 's1'),
  ]);
}

function legend(left, words) {
  return words.flatMap((word, index) => [`<circle cx="${left + index * 120}" cy="37" r="4" class="s${index}"/>`, text(left + 10 + index * 120, 41, word)]);
}
