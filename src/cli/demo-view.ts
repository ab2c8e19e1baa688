import { openScreen } from './demo-screen.ts';
import type { DemoSnapshot } from './demo-snapshot.ts';
import { describeReplay, describeSpeed, renderDemo, summarize } from './demo-table.ts';

/** Shows the demo while it runs. */
export interface DemoView {
  /** Shows the last state and stops. */
  close(): void;
}

const redrawMs = 150;
const logMs = 5_000;

/** A live table in a terminal; plain lines on standard error where there is none, or where standard output is for JSON. */
export function openView(look: () => DemoSnapshot, { json }: { readonly json: boolean }): DemoView {
  return process.stdout.isTTY && !json ? openTable(look) : openLog(look);
}

function openTable(look: () => DemoSnapshot): DemoView {
  const terminal = process.stdout;
  const screen = openScreen(terminal);
  const color = terminal.hasColors() && !process.env.NO_COLOR;
  // the last column stays free: a full line would wrap in some terminals
  const draw = () => screen.draw(renderDemo(look(), { width: terminal.columns - 1, color }));
  const timer = setInterval(draw, redrawMs);
  draw();
  return {
    close() {
      clearInterval(timer);
      draw();
      screen.close();
    },
  };
}

function openLog(look: () => DemoSnapshot): DemoView {
  const { url, overview } = look();
  console.error(`demo: page ${url} broker mqtt://${overview.broker.address}`);
  const log = () => {
    const snapshot = look();
    console.error(`demo: ${describeReplay(snapshot)}`);
    console.error(`demo: ${describeSpeed(snapshot)}`);
    console.error(`demo: ${summarize(snapshot)}`);
  };
  const timer = setInterval(log, logMs);
  return {
    close() {
      clearInterval(timer);
      log();
    },
  };
}
