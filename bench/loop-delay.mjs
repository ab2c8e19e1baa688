// Loaded into the service by the bench: says, when it ends, how late its event loop was.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const tickMs = 1;
const histogram = monitorEventLoopDelay({ resolution: tickMs });
histogram.enable();
const lateMs = (ns) => Math.max(0, ns / 1e6 - tickMs);
process.on('exit', () => {
  const delays = {
    p50Ms: lateMs(histogram.percentile(50)),
    p99Ms: lateMs(histogram.percentile(99)),
    maxMs: lateMs(histogram.max),
  };
  writeFileSync(process.env.LOOP_DELAY_FILE, JSON.stringify(delays));
});
