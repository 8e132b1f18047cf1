import { type Case, caseName } from './scenario.js';

/** Provider account of a case's target, counted from 0. */
export function accountName(each: Case, at: number): string {
  return `${caseName(each)}.p${at + 1}`;
}

/** A target's model at its provider; no two are the same. */
export function modelName(each: Case, at: number): string {
  return `${caseName(each)}-m${at + 1}`;
}

export function credentialOf(account: string): string {
  return `sk-${account}`;
}
