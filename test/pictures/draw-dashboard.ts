import type { Series } from '../support/prometheus';

/** A panel of the dashboard with what its queries answered: series over time, or their last values. */
export interface DrawnPanel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly unit: string;
  /** Names and colours of values, where they have some. */
  readonly mappings: Readonly<Record<string, { readonly text: string; readonly color?: string }>>;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

const COLOURS = ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#f2495c', '#b877d9', '#8ab8ff'];
const COLUMN_PX = 50;
const ROW_PX = 30;

const escape = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${String(character.charCodeAt(0))};`);

function shown(value: number, { unit, mappings }: DrawnPanel): string {
  const mapping = mappings[String(value)];
  if (mapping !== undefined) return mapping.text;
  if (unit === 'bytes') return `${(value / 2 ** 20).toFixed(0)} MiB`;
  if (unit === 'percentunit') return `${(100 * value).toFixed(0)} %`;
  if (unit === 's') return value < 1 ? `${(1000 * value).toFixed(0)} ms` : `${value.toFixed(0)} s`;
  return String(Math.round(100 * value) / 100);
}

const lastOf = ({ points }: Line): number => points.at(-1)?.[1] ?? 0;

function graph(panel: DrawnPanel, width: number, height: number): string {
  const points = panel.lines.flatMap((line) => line.points);
  const [from, to] = [Math.min(...points.map(([t]) => t)), Math.max(...points.map(([t]) => t))];
  const top = Math.max(...points.map(([, value]) => value), 1e-9);
  const x = (t: number): number => ((t - from) / Math.max(to - from, 1)) * width;
  const drawn = panel.lines.map(({ points: own }, index) => {
    const path = own.map(([t, value]) => `${x(t).toFixed(1)},${(height - (value / top) * (height - 8)).toFixed(1)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[index % COLOURS.length] ?? ''}" stroke-width="1.5"/>`;
  });
  return `<svg width="${String(width)}" height="${String(height)}">${drawn.join('')}</svg>${legend(panel)}`;
}

function legend(panel: DrawnPanel): string {
  const items = panel.lines.slice(0, 8).map((line, index) => `<span><i style="background:${COLOURS[index % COLOURS.length] ?? ''}"></i>${escape(line.name)} ${escape(shown(lastOf(line), panel))}</span>`);
  return `<p class="legend">${items.join('')}</p>`;
}

function timeline(panel: DrawnPanel, width: number): string {
  return panel.lines.map(({ name, points }) => {
    const [from, to] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
    const spans = points.map(([t, value], index) => {
      const end = points[index + 1]?.[0] ?? t;
      const colour = panel.mappings[String(value)]?.color ?? (value > 0 ? 'green' : 'gray');
      const style = `left:${String((100 * (t - from)) / Math.max(to - from, 1))}%;width:${String((100 * (end - t)) / Math.max(to - from, 1) + 0.3)}%;background:${colour === 'text' ? 'gray' : colour}`;
      return `<b style="${style}"></b>`;
    });
    return `<div class="timeline"><span>${escape(name)}</span><div style="width:${String(width - 150)}px">${spans.join('')}</div></div>`;
  }).join('');
}

const table = (panel: DrawnPanel): string =>
  `<table>${panel.lines.map((line) => `<tr><td>${escape(line.name)}</td><td>${escape(shown(lastOf(line), panel))}</td></tr>`).join('')}</table>`;

function body(panel: DrawnPanel, width: number, height: number): string {
  const [first] = panel.lines;
  if (first === undefined) return '<p class="none">No data</p>';
  if (panel.type === 'stat') return `<p class="stat">${escape(shown(lastOf(first), panel))}</p>`;
  if (panel.type === 'state-timeline') return timeline(panel, width);
  if (panel.type === 'timeseries') return graph(panel, width, height - 70);
  return table(panel);
}

/** The dashboard as a page: each panel at its place, drawn from what its queries answered. */
export function drawDashboard(title: string, panels: readonly DrawnPanel[]): string {
  const drawn = panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const place = `left:${String(x * COLUMN_PX)}px;top:${String(y * ROW_PX)}px;width:${String(w * COLUMN_PX - 8)}px;height:${String(h * ROW_PX - 8)}px`;
    if (panel.type === 'row') return `<h2 style="${place}">${escape(panel.title)}</h2>`;
    return `<section style="${place}"><h3>${escape(panel.title)}</h3>${body(panel, w * COLUMN_PX - 40, h * ROW_PX - 8)}</section>`;
  });
  return `<!doctype html><meta charset="utf-8"><title>${escape(title)}</title><style>
    body { background: #111217; color: #ccccdc; font: 13px system-ui, sans-serif; margin: 8px; position: relative }
    section, h2 { position: absolute; box-sizing: border-box } section { background: #181b1f; border: 1px solid #2c3235; border-radius: 3px; padding: 8px 12px; overflow: hidden }
    h2, h3 { font-size: 14px; margin: 0 0 6px } .stat { font-size: 34px; margin: 8px 0; color: #73bf69 } .none { color: #7b8087 }
    .legend span { margin-right: 14px; white-space: nowrap } .legend i { display: inline-block; width: 14px; height: 4px; margin-right: 5px } .legend { margin: 4px 0 }
    .timeline { display: flex; margin: 6px 0 } .timeline span { width: 110px; overflow: hidden } .timeline div { position: relative; height: 22px } .timeline b { position: absolute; height: 22px }
    table { border-collapse: collapse; width: 100% } td { border-bottom: 1px solid #2c3235; padding: 4px }
  </style>${drawn.join('')}`;
}

/** A name for a series, by the legend of its query: `{{device}}` is the value of that label. */
export const nameOf = (legendFormat: string, { metric }: Pick<Series, 'metric'>): string =>
  legendFormat.replace(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? '') || Object.values(metric).filter((value) => !value.startsWith('update_lock')).join(' ');
