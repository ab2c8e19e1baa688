type Attributes = Readonly<Record<string, string>>;
type Children = readonly (Node | string)[];

/** Text from data reaches the page through here and `setText` only: it is never read as HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  children: Children = [],
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An element of index.html. */
export function find<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`#${id} is ${found?.tagName ?? 'missing'}, expected ${kind.name}; mend index.html`);
}

/** Touches the page only where something has changed. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** The text, and beside it the number as it came. */
export function setValue(node: Element, text: string, value: number | null): void {
  setText(node, text);
  setAttribute(node, 'data-value', String(value));
}

/** A cell that shows a value under this name. */
export function field(name: string, attributes: Attributes = {}): HTMLSpanElement {
  return element('span', { 'data-field': name, ...attributes });
}

/** Makes the children exactly these, moving as few as it can, so that focus and selection stay. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}
