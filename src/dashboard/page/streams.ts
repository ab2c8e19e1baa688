import type { View } from '../view.ts';
import type { Choice } from './choice.ts';
import { element, find, setAttribute, setChildren, setText, setValue } from './element.ts';
import { formatCount, formatSpan } from './format.ts';
import { createRow, type HorizonLabel, type Row } from './row.ts';

export interface Streams {
  show(view: View, choice: Choice): void;
}

export interface StreamsOptions {
  readonly onSelect: (stream: string) => void;
  readonly onFilter: (filter: string) => void;
  readonly onTarget: (target: number) => void;
}

const typingMs = 200;

/** The table of all streams, its filter, and the choice of the target. */
export function createStreams({ onSelect, onFilter, onTarget }: StreamsOptions): Streams {
  const table = find('streams-table', HTMLTableElement);
  const body = find('streams-body', HTMLElement);
  const count = find('streams-shown', HTMLElement);
  const empty = find('streams-empty', HTMLElement);
  const target = createTargetChoice(onTarget);
  const filter = createFilter(onFilter);
  let horizons: readonly HorizonLabel[] = [];
  let rows = new Map<string, Row>();
  giveRoles(table);
  moveByKeys(body);
  return {
    show({ overview: { model, streams }, matching, rows: views, detail }, choice) {
      const labels = model.horizons.map((steps) => ({ steps, label: formatSpan(steps * model.periodMs) }));
      if (JSON.stringify(labels) !== JSON.stringify(horizons)) {
        horizons = labels;
        rows = new Map();
        showHead(labels);
        setAttribute(table, 'data-horizons', labels.length > 3 ? 'many' : 'few');
      }
      const next = new Map(
        views.map(({ stream }) => [stream, rows.get(stream) ?? createRow(stream, labels, onSelect)]),
      );
      rows = next;
      for (const view of views) rows.get(view.stream)?.show(view, view.stream === detail?.stream);
      setChildren(
        body,
        [...rows.values()].map(({ root }) => root),
      );
      setValue(count, describeCount(views.length, matching, streams, choice.filter), matching);
      table.hidden = views.length === 0;
      empty.hidden = views.length > 0;
      setText(
        empty,
        choice.filter ? `No stream has “${choice.filter}” in its name.` : 'No stream has said anything yet.',
      );
      filter.show(choice.filter);
      target.show(model.targets, choice.target);
    },
  };
}

/** A table that a style sheet lays out as cards is no table any more to some browsers, unless it says so. */
function giveRoles(table: HTMLTableElement): void {
  setAttribute(table, 'role', 'table');
  for (const part of table.querySelectorAll('thead, tbody')) setAttribute(part, 'role', 'rowgroup');
  for (const row of table.querySelectorAll('thead tr')) setAttribute(row, 'role', 'row');
  for (const head of table.querySelectorAll('thead th')) setAttribute(head, 'role', 'columnheader');
}

/** One head cell a horizon, between those that always stand. */
function showHead(horizons: readonly HorizonLabel[]): void {
  const row = find('streams-head', HTMLElement);
  for (const old of row.querySelectorAll('[data-steps]')) old.remove();
  const cells = horizons.map(({ steps, label }) =>
    element('th', { scope: 'col', role: 'columnheader', class: 'number', 'data-steps': String(steps) }, [
      `+${label}`,
    ]),
  );
  find('head-value', HTMLElement).after(...cells);
}

function describeCount(shown: number, matching: number, all: number, filter: string): string {
  if (shown < matching) return `showing ${formatCount(shown)} of ${formatCount(matching)}`;
  if (filter) return `${formatCount(matching)} of ${formatCount(all)}`;
  return formatCount(all);
}

function createFilter(onFilter: (filter: string) => void) {
  const input = find('filter', HTMLInputElement);
  let timer: number | undefined;
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      timer = undefined;
      onFilter(input.value.trim());
    }, typingMs);
  });
  return {
    /** Not while somebody is typing: what they type is newer. */
    show(filter: string) {
      if (timer === undefined && document.activeElement !== input && input.value !== filter)
        input.value = filter;
    },
  };
}

function createTargetChoice(onTarget: (target: number) => void) {
  const root = find('target-choice', HTMLElement);
  const select = find('target', HTMLSelectElement);
  let made = '';
  select.addEventListener('change', () => onTarget(Number(select.value)));
  return {
    show(targets: readonly string[], target: number) {
      root.hidden = targets.length < 2;
      const key = JSON.stringify(targets);
      if (key !== made) {
        select.replaceChildren(
          ...targets.map((name, index) => element('option', { value: String(index) }, [name])),
        );
        made = key;
      }
      if (document.activeElement !== select) select.value = String(target);
    },
  };
}

/** Up, Down, Home and End go from name to name; Tab does too. */
function moveByKeys(body: HTMLElement): void {
  body.addEventListener('keydown', (event) => {
    const buttons = [...body.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const places: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: buttons.length - 1,
    };
    const next = buttons[places[event.key] ?? -1];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}
