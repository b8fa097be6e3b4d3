// Increases the rate from START (500) to PEAK (12,000) requests/s in SECONDS (90), then returns to
// START: at which rate is the service overloaded (a p99 above P99_MS, errors, or a rate below the
// target), how, and does it recover?

import { P99_MS } from './lib/thresholds.js';
import { Timeline, summaryTrendStats } from './lib/timeline.js';
import { workload } from './lib/workloads.js';

const START = Number(__ENV.START || 500);
const PEAK = Number(__ENV.PEAK || 12000);
const SECONDS = Number(__ENV.SECONDS || 90);
const REST = Math.ceil(SECONDS / 3);

const stages = [
  { duration: SECONDS, target: PEAK },
  { duration: 1, target: START },
  { duration: REST, target: START },
];
const timeline = new Timeline(START, stages);

export const options = {
  scenarios: {
    stress: {
      executor: 'ramping-arrival-rate',
      startRate: START,
      timeUnit: '1s',
      stages: stages.map(({ duration, target }) => ({ duration: `${duration}s`, target })),
      preAllocatedVUs: 300,
      maxVUs: 300,
      gracefulStop: '10s',
    },
  },
  thresholds: timeline.thresholds(),
  discardResponseBodies: true,
  summaryTrendStats,
};

const request = workload('uniform');

export default function stress() {
  request(timeline.tags());
}

function fault({ target, rate, p99, errors }) {
  if (errors > 0.01) return `${(100 * errors).toFixed(1)} % of the answers were errors`;
  if (p99 > P99_MS) return `p99 rose to ${p99.toFixed(0)} ms`;
  if (rate < 0.9 * target) return `${rate.toFixed(0)}/s were answered of ${target.toFixed(0)}/s due`;
  return null;
}

function evaluate(slots) {
  const rising = slots.filter((slot) => slot.start + timeline.width <= SECONDS);
  const broken = rising.find(fault);
  const best = Math.max(...rising.map((slot) => slot.rate)).toFixed(0);
  if (!broken) return `It did not break: ${best}/s were answered at the peak.`;
  const resting = slots.filter((slot) => slot.start > SECONDS + 1);
  const recovered = resting.find((slot) => !fault(slot));
  const failed = Math.max(...rising.map((slot) => slot.errors));
  return [
    `It broke at ${broken.target.toFixed(0)} requests/s: ${fault(broken)}.`,
    `The most it answered was ${best}/s;`,
    failed ? `at worst ${(100 * failed).toFixed(1)} % of the answers were errors.` : 'no answer was an error.',
    recovered
      ? `It recovered: ${recovered.start - SECONDS} s after the peak p99 was ${recovered.p99.toFixed(1)} ms.`
      : 'It did not recover by the end of the run.',
  ].join(' ');
}

export function handleSummary(data) {
  return timeline.summary(data, evaluate);
}
