/** SVG paths on a grid of 24 by 24. */
export const ICONS = {
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  open: 'M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2',
  update: 'M20 12a8 8 0 0 1-14.2 5M4 12a8 8 0 0 1 14.2-5M18.5 3v4.5H14M5.5 21v-4.5H10',
  alert: 'M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.3',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2',
  cross: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 9l6 6M15 9l-6 6',
  hourglass: 'M7 3.5h10M7 20.5h10M8 3.5v3.3c0 2.2 4 3.2 4 5.2 0-2 4-3 4-5.2V3.5M8 20.5v-3.3c0-2.2 4-3.2 4-5.2 0 2 4 3 4 5.2v3.3',
  download: 'M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14',
  check: 'M5 12.5 10 17.5 19.5 7',
  renew: 'M19 12a7 7 0 1 1-2.2-5.1M17.5 3v4.2h-4.2',
  calendar: 'M4.5 6h15v14h-15zM4.5 10.5h15M8.5 3.5V7M15.5 3.5V7',
  plug: 'M9 3.5V8M15 3.5V8M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v4',
  unplugged: 'M9 3.5V8M15 3.5V8M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v4M3.5 20.5l17-17',
  power: 'M12 3.5v8M7 6.5a7.5 7.5 0 1 0 10 0',
  shield: 'M12 3.5 5 6v5.5c0 4.2 2.9 7.6 7 9 4.1-1.4 7-4.8 7-9V6z',
  file: 'M6.5 3.5h7l4 4v13h-11zM13 3.5V8h4.5',
} as const;

export type IconName = keyof typeof ICONS;
