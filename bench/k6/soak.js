// RATE requests/s (1,000) of the mixed workload for MINUTES (30): no request may fail, and the last
// minutes must be as fast as the first.

import { reliability } from './lib/thresholds.js';
import { Timeline, summaryTrendStats } from './lib/timeline.js';
import { workload } from './lib/workloads.js';

const RATE = Number(__ENV.RATE || 1000);
const SECONDS = Math.round(60 * Number(__ENV.MINUTES || 30));

const timeline = new Timeline(RATE, [{ duration: SECONDS, target: RATE }]);

export const options = {
  scenarios: {
    soak: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: `${SECONDS}s`,
      preAllocatedVUs: 100,
      maxVUs: 300,
    },
  },
  thresholds: {
    ...reliability,
    ...timeline.thresholds(),
  },
  discardResponseBodies: true,
  summaryTrendStats,
};

const request = workload('mix');

export default function soak() {
  request(timeline.tags());
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function evaluate(slots, dropped) {
  const sixth = Math.max(1, Math.floor(slots.length / 6));
  const [first, last] = [slots.slice(0, sixth), slots.slice(-sixth)]
    .map((part) => median(part.map((slot) => slot.p99 ?? 0)));
  const failed = slots.filter((slot) => slot.errors > 0).length;
  return `${failed ? `${failed} slots with errors` : 'No error'}, ${dropped} requests dropped; `
    + `p99 was ${first.toFixed(1)} ms at the beginning and ${last.toFixed(1)} ms at the end.`;
}

export function handleSummary(data) {
  return timeline.summary(data, evaluate);
}
