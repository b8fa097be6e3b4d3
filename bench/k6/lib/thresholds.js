// The thresholds of a run. The defaults are for a deployment behind a network; set your own targets:
// P50_MS, P99_MS (milliseconds), ERROR_RATE (0 to 1), DROPPED (requests that could not be started).

const setting = (name, fallback) => {
  const value = Number(__ENV[name] === undefined || __ENV[name] === '' ? fallback : __ENV[name]);
  if (!(value >= 0)) throw new Error(`${name} must be a number from 0 on, not ${__ENV[name]}`);
  return value;
};

export const P99_MS = setting('P99_MS', 500);

const P50_MS = setting('P50_MS', 100);
const ERROR_RATE = setting('ERROR_RATE', 0);
const DROPPED = setting('DROPPED', 0);

export const reliability = {
  http_req_failed: [`rate<=${ERROR_RATE}`],
  dropped_iterations: [`count<=${DROPPED}`],
};

export const latency = {
  http_req_duration: [`med<=${P50_MS}`, `p(99)<=${P99_MS}`],
};
