/** What kernel and browser say to each other of a sweep: see docs/architecture.md. */

import type { ComparisonTraits } from "./comparison_contract";
import type { Request, Traits } from "./contract";

/** How far a trial of a sweep is. */
export type TrialStatus = "waiting" | "training" | "done" | "diverged" | "failed" | "cancelled";

export interface TrialRow {
  /** Its place in the sweep, from 0. */
  number: number;
  /** Its settings, by column. */
  values: (string | number | boolean | null)[];
  status: TrialStatus;
  /** Batches that are known to be trained. */
  batch: number;
  /** Medians of the newest recorded batches; null if there are none, or it diverged. */
  loss: number | null;
  horizon: number | null;
  /** The horizon is only a lower bound. */
  at_least: boolean;
  /** What happened, and what to try. */
  said: string;
  hint: string;
  /** Batch number and median horizon length, over training. */
  trend: [batch: number, horizon: number][];
  /** Its run can be opened. */
  here: boolean;
}

export interface SweepTable {
  /** Names of the settings that are particular to trials. */
  columns: string[];
  /** Batches that each trial is to train. */
  batches: number;
  rows: TrialRow[];
  finished: boolean;
}

/** What the panels show: the traits of a widget of one trial, or of a comparison; null if they show nothing. */
export interface Opened {
  id: number;
  numbers: number[];
  state: (Traits | ComparisonTraits) | null;
}

export interface SweepTraits {
  sort_by: string;
  descending: boolean;
  _table: SweepTable;
  _opened: Opened;
}

/** A message of the widget protocol, between the panels and their part of the kernel. */
export type RelayedToPage =
  | { method: "custom"; content: unknown }
  | { method: "update" | "echo_update"; state: Record<string, unknown>; buffer_paths: (string | number)[][] };
export type RelayedToKernel =
  | { method: "custom"; content: unknown }
  | { method: "update"; state: Record<string, unknown>; buffer_paths: [] };

export type ToSweep =
  | Request
  | { kind: "show"; numbers: number[] }
  | { kind: "cancel" }
  | { kind: "code"; client: string }
  | { kind: "relay"; id: number; data: RelayedToKernel };

export type FromSweep =
  | { kind: "rows"; client: string | null; seq: number; rows: TrialRow[]; finished: boolean }
  | { kind: "relay"; id: number; data: RelayedToPage }
  | { kind: "code"; client: string; line: string }
  | { kind: "refused"; message: string }
  | { kind: "error"; message: string; hint: string };
