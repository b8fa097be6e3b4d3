// RATE requests/s (2,500) for SECONDS (30), independent of response times; the workload is
// WORKLOAD (uniform, zipf, hot, answers, votes, mix). Fails if a threshold
// (lib/thresholds.js) is crossed.

import { latency, reliability } from './lib/thresholds.js';
import { workload } from './lib/workloads.js';

const rate = Number(__ENV.RATE || 2500);

export const options = {
  scenarios: {
    load: {
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: '1s',
      duration: `${__ENV.SECONDS || 30}s`,
      preAllocatedVUs: 100,
      maxVUs: 500,
    },
  },
  thresholds: { ...reliability, ...latency },
  discardResponseBodies: true,
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'max'],
};

const request = workload('uniform');

export default function load() {
  request();
}
