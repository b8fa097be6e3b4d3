// A long run in slots of a few seconds. k6 only summarises a whole run, so each request is tagged with
// its slot, and a threshold that always passes makes k6 keep metrics per slot.

import exec from 'k6/execution';

const SLOTS = 60;
const TREND = ['med', 'p(95)', 'p(99)'];

export class Timeline {
  // stages: [{ duration: seconds, target: requests/s at the end of the stage }]; start: the initial rate.
  constructor(start, stages) {
    this.start = start;
    this.stages = stages;
    this.seconds = stages.reduce((sum, stage) => sum + stage.duration, 0);
    this.width = Math.max(1, Math.ceil(this.seconds / SLOTS));
    this.count = Math.ceil(this.seconds / this.width);
  }

  tags() {
    const elapsed = (Date.now() - exec.scenario.startTime) / 1000;
    return { slot: String(Math.min(Math.floor(elapsed / this.width), this.count - 1)) };
  }

  thresholds() {
    const kept = {};
    for (let slot = 0; slot < this.count; slot += 1) {
      kept[`http_req_duration{slot:${slot}}`] = ['max>=0'];
      kept[`http_req_failed{slot:${slot}}`] = ['rate>=0'];
      kept[`http_reqs{slot:${slot}}`] = ['count>=0'];
    }
    return kept;
  }

  // The target rate at a time: linear within a stage.
  target(time) {
    let [from, passed] = [this.start, 0];
    for (const { duration, target } of this.stages) {
      if (time < passed + duration) return from + ((target - from) * (time - passed)) / duration;
      [from, passed] = [target, passed + duration];
    }
    return from;
  }

  slots(metrics) {
    return Array.from({ length: this.count }, (_, slot) => {
      const values = (name) => metrics[`${name}{slot:${slot}}`].values;
      const [count, latency] = [values('http_reqs').count, values('http_req_duration')];
      const start = slot * this.width;
      const width = Math.min(this.width, this.seconds - start);
      return {
        start,
        target: this.target(start + width / 2),
        rate: count / width,
        p50: count ? latency.med : null,
        p95: count ? latency['p(95)'] : null,
        p99: count ? latency['p(99)'] : null,
        errors: count ? values('http_req_failed').rate : 0,
      };
    });
  }

  // For k6's handleSummary: a table on stdout, and the same as JSON in the file TIMELINE.
  summary(data, evaluate = () => '') {
    const slots = this.slots(data.metrics);
    const dropped = data.metrics.dropped_iterations?.values.count ?? 0;
    const verdict = evaluate(slots, dropped);
    const report = { seconds: this.seconds, dropped, slots, verdict };
    const files = __ENV.TIMELINE ? { [__ENV.TIMELINE]: JSON.stringify(report) } : {};
    return { stdout: `${table(slots)}dropped: ${dropped}\n${verdict}\n`, ...files };
  }
}

function table(slots) {
  const cell = (value, digits) => (value === null ? '-' : value.toFixed(digits)).padStart(9);
  const line = (s) => [cell(s.start, 0), cell(s.target, 0), cell(s.rate, 0), cell(s.p50, 1),
    cell(s.p95, 1), cell(s.p99, 1), cell(100 * s.errors, 2)].join('');
  const head = ['second', 'target/s', 'done/s', 'p50 ms', 'p95 ms', 'p99 ms', 'errors %'];
  return [head.map((word) => word.padStart(9)).join(''), ...slots.map(line), ''].join('\n');
}

export const summaryTrendStats = TREND;
