import type { Forecast } from './ports.js';

/** The forecast of work that needs no requests. */
export const NO_REQUESTS: Forecast = { answers: 0, missing: 0, tokens: { input: 0, output: 0 }, cost: 0 };

/** Returns the sum of two forecasts. */
export function addForecasts(one: Forecast, other: Forecast): Forecast {
  return {
    answers: one.answers + other.answers,
    missing: one.missing + other.missing,
    tokens: { input: one.tokens.input + other.tokens.input, output: one.tokens.output + other.tokens.output },
    cost: one.cost + other.cost,
  };
}
