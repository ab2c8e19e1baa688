import { expect, test } from 'vitest';
import { runBench } from './run-bench.ts';

test.each([
  [['nothing'], 'no bench nothing; there is: accuracy, baselines, kernel'],
  [['baselines', '--dta', 'x'], "bench baselines: Unknown option '--dta'"],
  [['kernel', '--rounds', '0'], 'bench kernel: --rounds 0, expected a whole number from 1 on'],
  [['kernel', '--hidden', '16,x'], 'bench kernel: --hidden x, expected a whole number from 1 on'],
  [['peers', '--streams', '0.5'], 'bench peers: --streams 0.5, expected a whole number from 1 on'],
  [['peers', '--peer', 'x'], "bench peers: Unknown option '--peer'"],
  [['recovery', '--streams', '1000,x'], 'bench recovery: --streams x, expected a whole number from 1 on'],
  [
    ['recovery', '--model', 'nowhere.pb'],
    /^bench recovery: no file .*nowhere\.pb; --model names a \.pb file/,
  ],
  [
    ['service', '--contestants', 'ours,x'],
    'bench service: found --contestants x, expected some of ours,echo,paho',
  ],
  [['train', '--rounds', 'many'], 'bench train: --rounds many, expected a whole number from 1 on'],
  [['baselines', '--data', 'nowhere'], /^bench baselines: no file nowhere\/ETTh1\.csv; .*give --data/],
])('a bench says in one line what is wrong with %j', (args, message) => {
  const { status, stdout, stderr } = runBench(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(message)]);
});

test('a bench says what it does, and what it takes', () => {
  const { status, stdout } = runBench('service', '--help');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^npm run bench -- service \[options\]\n\n[\s\S]*--soak TIME/);
  const all = runBench('--help');
  expect(all.status).toBe(0);
  expect(all.stdout).toContain('== train\nUpdates of a training');
});
