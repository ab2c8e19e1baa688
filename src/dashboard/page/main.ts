import type { View } from '../view.ts';
import { type Choice, queryOf, readChoice, writeChoice } from './choice.ts';
import { createConnection } from './connection.ts';
import { createDetail } from './detail.ts';
import { find } from './element.ts';
import { createNotices } from './notices.ts';
import { createOverview } from './overview.ts';
import { createStreams } from './streams.ts';

let choice = readChoice(location.search);
let view: View | null = null;
let isDrawing = false;

const overview = createOverview();
const notices = createNotices();
const detail = createDetail((horizon) => choose({ horizon }));
const streams = createStreams({
  onSelect: select,
  onFilter: (filter) => choose({ filter }),
  onTarget: (target) => choose({ target }),
});
const connection = createConnection({
  onView(next) {
    view = next;
    draw();
  },
  onLink: notices.showLink,
});

notices.showLink({ kind: 'opening' });
connection.follow(queryOf(choice));

function select(stream: string): void {
  choose({ stream });
  const chart = find('detail', HTMLElement);
  // on a phone the chart is far above the row that was touched
  if (chart.getBoundingClientRect().bottom < 120) chart.scrollIntoView();
}

function choose(change: Partial<Choice>): void {
  const before = queryOf(choice);
  choice = { ...choice, ...change };
  history.replaceState(null, '', `${location.pathname}${writeChoice(choice)}`);
  if (queryOf(choice) !== before) connection.follow(queryOf(choice));
  draw();
}

/** Once a frame of the screen at most, and not at all while the page is hidden. */
function draw(): void {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    if (!view) return;
    overview.show(view.overview);
    notices.showBroker(view.overview);
    streams.show(view, choice);
    detail.show(view, choice);
    const title = view.detail ? `${view.detail.stream} · ${view.overview.name}` : view.overview.name;
    if (document.title !== title) document.title = title;
  });
}
