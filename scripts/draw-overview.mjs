// npm run pictures: docs/images/overview.svg, who talks to whom. Its colours follow the reader's scheme, light or dark.
import { writeFileSync } from 'node:fs';

const STYLE = `
  text { font: 14px system-ui, sans-serif; fill: #1f2328 } .small { font-size: 12px; fill: #59636e } .name { font-weight: 600 }
  rect { fill: #f6f8fa; stroke: #8b949e } .device { fill: none; stroke-dasharray: 6 4 } .ours { fill: #ddf4ff; stroke: #0969da }
  path { stroke: #59636e; stroke-width: 1.5; fill: none; marker-end: url(#head) } marker path { fill: #59636e; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .small { fill: #9198a1 } rect { fill: #151b23; stroke: #656c76 } .device { fill: none } .ours { fill: #0c2d6b; stroke: #4493f8 }
    path { stroke: #9198a1 } marker path { fill: #9198a1 }
  }`;

/** A box with a name in it, and a line below that says what it is. */
const box = (x, y, width, name, below = '', kind = '') => `
  <rect x="${x}" y="${y}" width="${width}" height="56" rx="8" class="${kind}"/>
  <text x="${x + width / 2}" y="${y + (below === '' ? 33 : 25)}" text-anchor="middle" class="name">${name}</text>
  <text x="${x + width / 2}" y="${y + 44}" text-anchor="middle" class="small">${below}</text>`;

/** An arrow along a path, with a text beside it. */
const arrow = (path, x, y, text, anchor = 'middle') => `
  <path d="${path}"/>
  <text x="${x}" y="${y}" text-anchor="${anchor}" class="small">${text}</text>`;

const parts = [
  '<rect x="10" y="10" width="650" height="300" rx="12" class="device"/>',
  '<text x="26" y="34" class="small">a balena device</text>',
  box(30, 84, 150, 'your app', 'any language'),
  box(30, 184, 150, 'another app', 'any language'),
  box(260, 134, 160, 'update-lock', 'the sidecar', 'ours'),
  box(490, 34, 150, 'Supervisor', 'updates containers'),
  box(490, 134, 150, 'updates.lock', 'a file, with a flock'),
  box(490, 234, 150, 'host OS', 'reboots for updates'),
  box(710, 34, 150, 'balenaCloud', 'releases, device tags'),
  box(165, 350, 160, 'coordinator', 'the turns of a fleet', 'ours'),
  box(355, 350, 160, 'Prometheus', 'metrics, alerts'),
  arrow('M180 112 L256 148', 222, 118, 'lease'),
  arrow('M180 212 L256 176', 222, 212, 'lease'),
  arrow('M420 162 L486 162', 452, 154, 'holds'),
  arrow('M405 134 L486 78', 432, 98, 'asks'),
  arrow('M565 90 L565 130', 573, 114, 'waits for it', 'start'),
  arrow('M565 234 L565 194', 573, 218, 'waits for it', 'start'),
  arrow('M640 62 L706 62', 673, 54, 'polls'),
  arrow('M305 190 L255 346', 268, 274, 'asks for its turn', 'end'),
  arrow('M420 350 L372 194', 408, 274, 'scrapes', 'start'),
];

writeFileSync('docs/images/overview.svg', `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 870 420" role="img" aria-label="Apps take leases from the sidecar, which holds the lock file that Supervisor and host OS wait for">
<style>${STYLE}</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z"/></marker></defs>
${parts.join('')}
</svg>
`);
