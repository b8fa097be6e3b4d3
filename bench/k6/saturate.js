// Saturation with CONNECTIONS busy clients, for machines without wrk.

import { workload } from './lib/workloads.js';

export const options = {
  scenarios: {
    saturate: {
      executor: 'constant-vus',
      vus: Number(__ENV.CONNECTIONS || 64),
      duration: `${__ENV.SECONDS || 10}s`,
    },
  },
  discardResponseBodies: true,
  summaryTrendStats: ['med', 'p(99)'],
};

const request = workload('uniform');

export default function saturate() {
  request();
}
