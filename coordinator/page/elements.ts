/** All elements of the page are made here, and text never becomes markup. */

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, ...children: readonly (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

export function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`);
  return found;
}

/** The id of a device: isolated, so that its direction does not affect the text around it. */
export function deviceText(id: string): HTMLElement {
  const isolated = element('bdi', 'id', id);
  isolated.dir = 'auto';
  return isolated;
}

export function button(label: string, onClick: () => void, className = 'quiet'): HTMLButtonElement {
  const made = element('button', className, label);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

/** An instant in the reader's zone. */
export function time(instant: string): HTMLTimeElement {
  const date = new Date(instant);
  const made = element('time', '', date.toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' }));
  made.dateTime = instant;
  return made;
}
