import { createStepKernel } from '../kernels/choose.ts';
import { highwaySpec, isKnownStream, type Model } from '../model/model.ts';
import {
  layoutPast,
  newestIndex,
  openPast,
  pushFrame,
  startPast,
  swingIndex,
  writeFactors,
  writeHighwayInputs,
  writeInputs,
} from '../signal/inputs.ts';
import { normalizeFrame } from '../signal/scaler.ts';
import { phaseOf, planAdvance, slotOf } from '../signal/slots.ts';
import { createAnswerReader, createForecast, type WritableForecast } from './answer.ts';
import type { Health, NoForecast, StepResult } from './forecast.ts';
import { FrameError } from './frame-error.ts';

/** The states of many streams in one memory, stepped a batch at a time: `normalize` up to `batchLimit` frames of
 * distinct streams, `predict` once, `denormalize` each. */
export interface Arena {
  readonly batchLimit: number;
  /** Frames in the batch. */
  readonly size: number;
  /** Finds or makes the slot of a stream. */
  open(stream: string): number;
  /** Makes a slot that no `open` finds: several streams may have one name. */
  openApart(stream: string): number;
  /** Gives a slot that was opened apart to the next one. */
  close(slot: number): void;
  /** Forgets what the stream at `slot` has seen. */
  reset(slot: number): void;
  /** Puts a frame of raw values [F] (NaN: missing) into the batch, after stepping the slots that were missed with
   * filled values. `late`: its time slot was stepped before, nothing happens.
   * @throws FrameError when the batch is full */
  normalize(slot: number, timeMs: number, values: ArrayLike<number>): 'ready' | 'late';
  /** One kernel call over the batch. The next `normalize` begins a new one. */
  predict(): void;
  /** The answer to the i-th frame of the last batch, written over `into`. */
  denormalize(i: number, into?: WritableForecast): StepResult;
  /** Everything that is known of the stream at `slot`, for `restore`; its floats are a view until the next `open`. */
  save(slot: number): SavedSlot;
  /** Goes on where a slot of the same model was saved. */
  restore(slot: number, saved: SavedSlot): void;
  /** The recurrent state of a slot, [P, layers, h then c]: a view until the next `open`. */
  state(slot: number): Float32Array;
}

/** A stream's share of the arena. */
interface SavedSlot {
  /** States, ring, averages, masks. */
  readonly floats: Float32Array;
  /** Of its newest frame; NaN before the first. */
  readonly lastSlot: number;
  readonly age: number;
}

const PENDING: NoForecast = { kind: 'pending' };

/** A stream is cold until a network has its longest lag (a plain one, which has none, a season), or a ridge alone its
 * window; a network is warm after four times that: for hours of weather the fourth day. */
const WARM_SPANS = 4;

/** @param createKernel the fastest of this machine for one thread when absent */
export function createArena(model: Model, batchLimit = 256, createKernel = createStepKernel): Arena {
  const { architecture, input } = model;
  const { features, periodMs, gapLimit, scalers, channels } = input;
  const { phases, segment } = architecture;
  const highway = highwaySpec(model);
  const past = layoutPast(input, highway?.window);
  const kernel = createKernel(model, { extra: past.size, batchLimit });
  const { stride, stateSize, inputSize } = kernel;
  const read = createAnswerReader(model);
  const isLinear = architecture.cell === 'none';
  const reach = isLinear ? past.ringLength : 1 + (input.lags.at(-1) ?? 0);
  const span = input.plain ? Math.max(reach, input.season) : reach;
  const warmAt = isLinear ? span : Math.max(WARM_SPANS * span, highway?.window ?? 0);
  const slotOfStream = new Map<string, number>();
  const streams: string[] = [];
  const closed: number[] = [];
  const frame = new Float32Array(features);
  const nothing = new Float32Array(features).fill(Number.NaN);
  const times = new Float64Array(batchLimit);
  const answered = new Uint8Array(batchLimit);
  const pool: WritableForecast[] = [];
  let capacity = 0;
  // NaN: the stream has seen nothing
  let lastSlots = new Float64Array(0);
  /** Frames since the stream last started cold (for `output: last`, since its last answer). */
  let ages = new Float64Array(0);
  let channelOf = new Int32Array(0);
  let size = 0;
  let predicted = false;

  function grow(): void {
    capacity = Math.max(1, capacity * 2);
    kernel.reserve(capacity);
    const kept = { lastSlots, ages, channelOf };
    lastSlots = new Float64Array(capacity).fill(Number.NaN);
    lastSlots.set(kept.lastSlots);
    ages = new Float64Array(capacity);
    ages.set(kept.ages);
    channelOf = new Int32Array(capacity);
    channelOf.set(kept.channelOf);
  }

  function open(stream: string): number {
    const known = slotOfStream.get(stream);
    if (known !== undefined) return known;
    const slot = openApart(stream);
    slotOfStream.set(stream, slot);
    return slot;
  }

  function openApart(stream: string): number {
    const slot = closed.pop() ?? streams.length;
    if (slot === capacity) grow();
    streams[slot] = stream;
    channelOf[slot] = channels.indexOf(stream) + 1;
    reset(slot);
    return slot;
  }

  function reset(slot: number): void {
    cool(slot);
    lastSlots[slot] = Number.NaN;
    openPast(past, kernel.memory(), slot * stride + stateSize, isKnownStream(input, streams[slot]));
  }

  function cool(slot: number): void {
    kernel.memory().fill(0, slot * stride, slot * stride + stateSize);
    ages[slot] = 0;
  }

  /** Puts slot's inputs at `slotNumber` into position i of the batch. */
  function place(i: number, slot: number, slotNumber: number): void {
    const { batch } = kernel;
    const memory = kernel.memory();
    const pastAt = slot * stride + stateSize;
    batch.slots[i] = slot;
    batch.phases[i] = phaseOf(slotNumber, phases);
    batch.channels[i] = channelOf[slot];
    writeInputs(past, memory, pastAt, slotNumber, kernel.inputs, i * inputSize);
    if (highway === undefined) return;
    writeHighwayInputs(
      past,
      highway,
      memory,
      pastAt,
      slotNumber,
      kernel.inputs,
      i * inputSize + past.inputSize,
    );
  }

  /** After a step: whether the stream answers now. `output: last` starts over from a zero state once it has. */
  function settle(slot: number): boolean {
    ages[slot]++;
    if (segment === 0) return true;
    if (ages[slot] < segment) return false;
    kernel.memory().fill(0, slot * stride, slot * stride + stateSize);
    ages[slot] = 0;
    return true;
  }

  function fillGap(slot: number, slotNumber: number): void {
    pushFrame(past, kernel.memory(), slot * stride + stateSize, slotNumber, nothing);
    place(size, slot, slotNumber);
    kernel.step(size, size + 1);
    settle(slot);
  }

  function normalize(slot: number, timeMs: number, values: ArrayLike<number>): 'ready' | 'late' {
    if (predicted) {
      size = 0;
      predicted = false;
    }
    const slotNumber = slotOf(timeMs, periodMs);
    const plan = planAdvance(lastSlots[slot], slotNumber, gapLimit);
    if (plan === 'late') return 'late';
    if (size === batchLimit)
      throw new FrameError(`a frame beyond the ${batchLimit} of a batch: predict first`);
    for (let k = 0; k < features; k++) frame[k] = values[k];
    normalizeFrame(frame, scalers, channelOf[slot] * features * 2);
    const pastAt = slot * stride + stateSize;
    if (plan === 'restart') {
      cool(slot);
      startPast(past, kernel.memory(), pastAt, frame);
    } else {
      for (let missed = slotNumber - plan; missed < slotNumber; missed++) fillGap(slot, missed);
      pushFrame(past, kernel.memory(), pastAt, slotNumber, frame);
    }
    lastSlots[slot] = slotNumber;
    times[size] = timeMs;
    place(size, slot, slotNumber);
    size++;
    return 'ready';
  }

  function predict(): void {
    kernel.step(0, size);
    for (let i = 0; i < size; i++) answered[i] = settle(kernel.batch.slots[i]) ? 1 : 0;
    predicted = true;
  }

  function healthOf(slot: number): Health {
    if (segment > 0) return 'warm';
    if (ages[slot] < span) return 'cold';
    return ages[slot] < warmAt ? 'warming' : 'warm';
  }

  function denormalize(i: number, into?: WritableForecast): StepResult {
    if (answered[i] === 0) return PENDING;
    if (into === undefined && pool[i] === undefined) pool[i] = createForecast(model);
    const forecast = into ?? pool[i];
    const slot = kernel.batch.slots[i];
    forecast.stream = streams[slot];
    forecast.timeMs = times[i];
    forecast.health = healthOf(slot);
    const pastAt = slot * stride + stateSize;
    writeFactors(past, kernel.memory(), pastAt, model.output.targets, forecast.factors);
    for (let m = 0; m < model.output.targets.length; m++) {
      const target = model.output.targets[m];
      const newestAt = newestIndex(past, pastAt, lastSlots[slot], target);
      const swing = swingIndex(past, pastAt, target);
      read(kernel.outputs, i, m, kernel.memory(), newestAt, swing, channelOf[slot], forecast);
    }
    return forecast;
  }

  return {
    batchLimit,
    get size() {
      return size;
    },
    open,
    openApart,
    close: (slot) => closed.push(slot),
    reset,
    normalize,
    predict,
    denormalize,
    save: (slot) => ({
      floats: kernel.memory().subarray(slot * stride, (slot + 1) * stride),
      lastSlot: lastSlots[slot],
      age: ages[slot],
    }),
    restore(slot, { floats, lastSlot, age }) {
      kernel.memory().set(floats, slot * stride);
      lastSlots[slot] = lastSlot;
      ages[slot] = age;
    },
    state: (slot) => kernel.memory().subarray(slot * stride, slot * stride + stateSize),
  };
}
