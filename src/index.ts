export type { Arena } from './engine/arena.ts';
export { type Engine, loadModel } from './engine/engine.ts';
export type { Forecast, Health, NoForecast, StepResult } from './engine/forecast.ts';
export { FrameError } from './engine/frame-error.ts';
export type { RawFrame, Session } from './engine/session.ts';
export { ModelFormatError } from './model/format-error.ts';
export type { Model } from './model/model.ts';
