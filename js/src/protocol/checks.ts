/** Whether what arrived is what it should be: checks of values, and of objects field by field. */

export type Check = (value: unknown) => boolean;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const whole: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
export const number: Check = (value) => Number.isFinite(value);
export const text: Check = (value) => typeof value === "string";
export const flag: Check = (value) => typeof value === "boolean";
export const anything: Check = () => true;
export const oneOf =
  (...options: unknown[]): Check =>
  (value) =>
    options.includes(value);
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
/** It may be missing. */
export const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((one) => check(one));
/** A list that has so many entries. */
export const tuple =
  (...checks: Check[]): Check =>
  (value) =>
    Array.isArray(value) && value.length === checks.length && checks.every((check, place) => check(value[place]));

/** The first of these fields that an object has not, or has otherwise; null: all are as they should be. */
export const unfit = (value: Record<string, unknown>, checks: Record<string, Check>): string | null =>
  Object.keys(checks).find((name) => !checks[name](value[name])) ?? null;

export const fields =
  (checks: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && unfit(value, checks) === null;
