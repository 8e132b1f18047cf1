import type { Contender } from './contender.js';

/** One kind of traffic; the model `quick` streams 30 events without a pause. */
export interface Traffic {
  readonly name: string;
  readonly stream: boolean;
  /** Requests per second, the same for all; null: each as many as it can (closed loop). */
  readonly rate: number | null;
  readonly connections: number;
  /** Of one run of one system. */
  readonly seconds: number;
  /** Runs of each system. */
  readonly rounds: number;
  /** With a key that nobody issued. */
  readonly wrongKey: boolean;
  readonly suits: (contender: Contender) => boolean;
}

const all = (): boolean => true;
const gateways = ({ system }: Contender): boolean => Object.keys(system.parts()).length > 0;

/** CPU per request counts here: what LiteLLM, the slowest, does in two seconds is about a hundred requests (`SLOW` in rounds.ts). */
export const JSON_SATURATED: Traffic = {
  name: 'small JSON, saturated, 32 connections',
  stream: false,
  rate: null,
  connections: 32,
  seconds: 1.2,
  rounds: 5,
  wrongKey: false,
  suits: gateways,
};

export const STREAM_SATURATED: Traffic = {
  ...JSON_SATURATED,
  name: 'stream of 30 events, no pause, saturated, 16 at a time',
  stream: true,
  connections: 16,
};

const REFUSED: Traffic = {
  ...JSON_SATURATED,
  name: 'refused key, saturated, 16 connections',
  connections: 16,
  rounds: 3,
  wrongKey: true,
  suits: ({ refusals }) => refusals.length > 0,
};

/** Latency counts here: the same rate for all, below what the slowest can do. */
const JSON_PACED: Traffic = {
  ...JSON_SATURATED,
  name: 'small JSON, 20 per second',
  rate: 20,
  seconds: 3,
  rounds: 3,
  suits: all,
};

const STREAM_PACED: Traffic = {
  ...JSON_PACED,
  name: 'stream of 30 events, no pause, 10 per second',
  stream: true,
  rate: 10,
};

const JSON_FASTER: Traffic = {
  ...JSON_PACED,
  name: 'small JSON, 100 per second',
  rate: 100,
  seconds: 1.5,
  suits: ({ quick }) => quick,
};

export const TRAFFIC: readonly Traffic[] = [
  JSON_SATURATED,
  STREAM_SATURATED,
  REFUSED,
  JSON_PACED,
  JSON_FASTER,
  STREAM_PACED,
];
