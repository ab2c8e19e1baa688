/** One stream on the regular time grid: row i holds the frame of slot `firstSlot + i`. */
export interface Series {
  readonly stream: string;
  /** Where a shared channel comes from: its name alone does not tell, for both of these may hold slashes. */
  readonly channel?: { readonly stream: string; readonly feature: string };
  readonly firstSlot: number;
  readonly length: number;
  /** [length, F], raw units, NaN where missing. */
  readonly values: Float32Array;
  /** [length], 1 where a row was read; 0 where the whole slot is missing. */
  readonly present: Uint8Array;
}

/** Where the numbers of a CSV went: every cell of a feature column is in exactly one of these. */
export interface Counts {
  readonly rows: number;
  readonly applied: number;
  readonly merged: number;
  readonly duplicate: number;
  readonly missing: number;
  /** Their time lies behind a row before them. */
  readonly late: number;
  readonly malformed: number;
}

export interface Dataset {
  readonly periodMs: number;
  readonly features: readonly string[];
  readonly series: readonly Series[];
  /** SHA-256 of the file's bytes, hex. */
  readonly sha256: string;
  readonly counts: Counts;
}

/** Slot numbers that cut time into parts: train [start, trainEnd), validation [trainEnd, validationEnd), test [validationEnd, end). */
export interface Split {
  readonly start: number;
  readonly trainEnd: number;
  readonly validationEnd: number;
  readonly end: number;
}

export type Part = 'train' | 'validation' | 'test';
