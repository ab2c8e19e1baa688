import type { StepObserver, StepsBackward, StepsForward, TrainingKernel } from './training.ts';

type Steps = Pick<TrainingKernel, 'forwardSteps' | 'backwardSteps'>;

/** The time steps of a layer, each out of the kernel's own parts. */
export function createSteps(kernel: Omit<TrainingKernel, keyof Steps>): Steps {
  function forwardSteps({ cell, steps, recurrent, recurrentBias }: StepsForward): void {
    for (const step of steps) {
      if (cell !== 'feedforward') kernel.multiply(step.zu, step.hPrevious, recurrent, step.rows);
      if (cell === 'lstm') kernel.lstmForward(step);
      else if (cell === 'gru') kernel.gruForward(step, recurrentBias);
      else kernel.rnnForward(step);
    }
  }

  function backwardSteps({ cell, steps, dOutput, recurrent }: StepsBackward, observe?: StepObserver): void {
    for (let t = steps.length - 1; t >= 0; t--) {
      const step = steps[t];
      kernel.add(step.dh, dOutput[t], step.rows * step.hidden);
      observe?.(t, step.dh);
      if (cell === 'lstm') kernel.lstmBackward(step);
      else if (cell === 'gru') kernel.gruBackward(step);
      else kernel.rnnBackward(step);
      if (cell !== 'feedforward') kernel.multiplyBack(step.dh, step.dzu, recurrent, step.rows, true);
    }
  }

  return { forwardSteps, backwardSteps };
}
