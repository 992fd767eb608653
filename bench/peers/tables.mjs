// The results as tables in Markdown.

/** Three digits or so. */
export function short(value) {
  if (value >= 100) return count(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** With commas. */
export function count(number) {
  return number.toLocaleString('en-US');
}

/** The kinds of contenders, in the order of the table. */
export const KINDS = [
  { title: 'the sidecar', has: ({ isOurs }) => isOurs },
  { title: 'others', has: ({ isOurs, isFloor }) => !isOurs && !isFloor },
  { title: 'the least that is possible', has: ({ isFloor }) => isFloor },
];

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Acquire and release: milliseconds, and pairs a second. */
export function contendersTable(counts, results) {
  const head = ['acquire and release, ms', ...counts.flatMap((clients) => [`${clients} client${clients === 1 ? '' : 's'}: p50`, 'p99', 'a second'])];
  const rows = KINDS.flatMap(({ title, has }) => [
    [`**${title}**`, ...counts.flatMap(() => ['', '', ''])],
    ...results.filter(has).map(({ label, figures }) => [label, ...figures.flatMap(({ p50, p99, perSecond }) => [short(p50), short(p99), short(perSecond)])]),
  ]);
  return table(head, rows);
}

/** What the sidecar costs by itself. */
export function sidecarTable({ start, memory, bareMemory, idle, leases, streams, waiters, image }) {
  const us = (all) => all.map(({ size, microseconds }) => `${count(size)}: ${short(microseconds)} us`).join(', ');
  const mib = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  const last = memory.at(-1);
  const memoryOf = ({ mib: resident, ownMib }) => `${short(resident)} MiB, ${short(ownMib)} its own`;
  const cost = ({ cpuSecondsADay, wakeUpsASecond }) => `${short(cpuSecondsADay)} s, ${short(wakeUpsASecond)}`;
  return table(
    ['the sidecar itself', ''],
    [
      ['start to the lock held; to the API answering (a bare server)', `${short(start.held)} ms; ${short(start.answering)} ms (${short(start.bare)} ms)`],
      [`memory after ${count(last.requests / 10)} requests; after ${count(last.requests)}`, `${memoryOf(memoryAt(memory, 0.1))}; ${memoryOf(last)}`],
      ['memory at its start (a bare server)', `${memoryOf(memory[0])} (${memoryOf(bareMemory)})`],
      ['CPU seconds a day and wake-ups a second, lock free', cost(idle.free)],
      ['the same, lock held while an update waits', cost(idle.held)],
      ['acquire and release among so many leases', us(leases)],
      ['acquire and release beside so many readers of events', us(streams)],
      ['so many waiting requests, from the end of another lock until all are granted', waiters.map(({ size, milliseconds }) => `${size}: ${short(milliseconds)} ms`).join(', ')],
      ['what the image adds to its base, and the compile cache in it', `${mib(image.files + image.cache)}, ${mib(image.cache)}`],
    ],
  );
}

/** What users would notice, and what was aimed at. */
export function goalsTable(goals) {
  return table(
    ['aim', 'at most', 'measured', ''],
    goals.map(({ what, limit, measured }) => [what, short(limit), measured <= limit ? short(measured) : `**${short(measured)}**`, measured <= limit ? 'met' : 'not met']),
  );
}

/** Memory after this part of all requests. */
export function memoryAt(points, part) {
  const { requests } = points.at(-1);
  return points.find((point) => point.requests >= requests * part);
}
