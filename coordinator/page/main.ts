import { byId } from './elements';
import { groupCard, type GroupView } from './group-view';

/** How often the page asks while somebody looks at it, in milliseconds. */
const ASK_EVERY_MS = 5000;

const main = byId('groups', HTMLElement);
const connection = byId('connection', HTMLElement);
let shown = '';

function show(groups: readonly GroupView[]): void {
  const text = JSON.stringify(groups);
  // What stays the same keeps its place, and the focus.
  if (text === shown) return;
  shown = text;
  const focused = document.activeElement instanceof HTMLButtonElement ? document.activeElement.textContent : null;
  main.replaceChildren(...groups.map((group) => groupCard(group, () => void refresh())));
  if (focused !== null) [...main.querySelectorAll('button')].find(({ textContent }) => textContent === focused)?.focus();
}

function say(state: string, tone: string): void {
  connection.textContent = state;
  connection.className = `badge ${tone}`;
}

async function refresh(): Promise<void> {
  try {
    const response = await fetch('v1/groups');
    if (response.ok) {
      show(((await response.json()) as { groups: GroupView[] }).groups);
      say('Live', 'good');
    } else {
      say('The store cannot be used', 'bad');
    }
  } catch {
    say('Not reachable', 'bad');
  }
}

setInterval(() => {
  if (!document.hidden) void refresh();
}, ASK_EVERY_MS);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh();
});
void refresh();
