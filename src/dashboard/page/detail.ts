import type { View } from '../view.ts';
import { createAnnouncer } from './announcer.ts';
import { createChartPanel } from './chart-panel.ts';
import { type Choice, horizonIndex } from './choice.ts';
import { createDetailHeading } from './detail-heading.ts';
import { find, setAttribute, setText } from './element.ts';
import { formatSpan } from './format.ts';
import { createHorizonChoice } from './horizon-choice.ts';
import { createHorizonErrors } from './horizon-errors.ts';
import { describeStream } from './sentence.ts';

export interface Detail {
  show(view: View, choice: Choice): void;
}

/** One stream: its chart, and all that is said about it. */
export function createDetail(onHorizon: (steps: number) => void): Detail {
  const section = find('detail', HTMLElement);
  const empty = find('detail-empty', HTMLElement);
  const body = find('detail-body', HTMLElement);
  const heading = createDetailHeading();
  const horizonChoice = createHorizonChoice(find('horizon-options', HTMLElement), onHorizon);
  const chart = createChartPanel();
  const errors = createHorizonErrors(find('horizon-errors', HTMLElement));
  const announcer = createAnnouncer(find('announcement', HTMLElement));
  return {
    show({ overview: { model, broker }, detail, rows }, choice) {
      empty.hidden = detail !== null;
      body.hidden = detail === null;
      if (!detail) {
        setText(empty, describeAbsence(choice.stream, broker.address));
        return;
      }
      const label = (steps: number) => formatSpan(steps * model.periodMs);
      const horizons = model.horizons.map((steps, index) => ({ index, steps, label: label(steps) }));
      const horizon = horizons[horizonIndex(model.horizons, choice.horizon)] ?? {
        index: 0,
        steps: 1,
        label: label(1),
      };
      setAttribute(section, 'data-stream', detail.stream);
      heading.show(detail, rows);
      horizonChoice.show(horizons, horizon.steps);
      chart.show(detail, horizon);
      errors.show(detail.errors, label);
      const subject = JSON.stringify([detail.stream, detail.target, horizon.steps]);
      announcer.say(subject, describeStream(detail, horizon.steps, horizon.label));
    },
  };
}

function describeAbsence(stream: string, address: string): string {
  return stream
    ? `No stream is called “${stream}”, or it has said nothing yet.`
    : `Waiting for the first reading from ${address}.`;
}
