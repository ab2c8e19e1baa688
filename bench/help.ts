/** What `npm run bench -- NAME --help` says, with the defaults in brackets. */
export const helps = {
  accuracy: `
The int8 engine on ETTh1, streaming its whole test part one frame at a time, beside persistence, seasonal naive, ridge and
the published figures; each case is trained first. ETTh1.csv may not be shipped.

  --data DIR      where ETTh1.csv lies (../shared/data)
  --seeds N       trainings of each case, whose errors are averaged (3)
  --only TEXT     only the cases whose name has TEXT, as OT/24
  --json          one line of JSON`,
  baselines: `
Our baselines beside the figures of a reference implementation, on ETTh1 and the shipped weather.

  --data DIR      where ETTh1.csv lies (../shared/data)`,
  kernel: `
The time step of random int8 models (I = 8) and of the shipped one, by every implementation in turns: one stream and many,
through the kernel and, "session", from a raw reading to its forecast.

  --hidden N,N    widths (16,32,64,128,256,512,1024)
  --streams N,N   streams (1,10,1000,10000)
  --rounds N      turns of each (12)
  --json          one line of JSON`,
  memory: `
The package and its production install on disk, memory with 10,000 streams, and the time from start to first forecast.
Needs mosquitto and npm.

  --json          one line of JSON`,
  peers: `
The time step beside what else one would pick, in turns: onnxruntime and tfjs (npm ci --prefix bench/peers), PyTorch and
LiteRT (PYTHON names an interpreter that has torch and ai-edge-litert), the same step in C (gcc); and what int8 costs
beside onnxruntime's. Whoever is not there is left out, with a line that says so.

  --hidden N,N    widths (16,32,64,128,256)
  --streams N,N   streams (1,10,1000,10000)
  --rounds N      turns of each (7)
  --write         puts the tables into bench/RESULTS.md
  --json          one line of JSON`,
  recovery: `
How long a service that was killed takes until it takes messages again: the start of dist/cli/main.js (npm run build) with
a state folder of many warm streams, and the same start with an empty one, in turns; the difference is the recovery. A
third kind has the snapshot and no log. The folder is filled by the service's own code, and its log is as long as it gets:
one commit more begins a new snapshot. Ready is a service whose "online" is at the broker (mosquitto): it has
subscribed. The files are in the page cache.

  --streams N,N   sizes of the table (1000,10000,100000)
  --hidden N      width of the model, an int8 LSTM of one feature (32)
  --model FILE    another model, as models/nyc-weather/nyc-weather.pb; 100,000 streams of that one are 1 GB of states
  --rounds N      starts of each kind, after one that warms up (5)
  --write         puts the table into bench/RESULTS.md
  --json          one line of JSON`,
  service: `
The service beside a bare MQTT.js echo of the same messages and a hand-written script (paho and PyTorch; PYTHON names an
interpreter that has both), each a process of its own on one broker (mosquitto), in turns: messages a second with 4,000
under way, and the time to a forecast at half of that and at the rates given. Or, with --soak, one long stretch at half
load.

  --contestants A,B   of ours, echo, paho (all)
  --qos N,N           0 and 1; the service acknowledges what comes at 1 when it is on disk (0,1)
  --streams N         sensors (10000)
  --hidden N          width of the model (32)
  --horizons N,N      what a forecast reports (1)
  --rates N,N         messages a second (1000,5000,10000)
  --rounds N          turns of each (3)
  --seconds N         of each stretch (3)
  --dashboard         ours has its page open too
  --soak TIME         as 30m: memory, event loop and bytes written meanwhile
  --reconnect TIME    how often a soak cuts the connection of ours, as 3m
  --write             puts the tables into bench/RESULTS.md
  --json              one line of JSON`,
  train: `
Updates of a training (T = 96, B = 64, I = 8, Adam; H = 32, 64, 128) of ours, PyTorch (PYTHON names an interpreter that has
torch) and tfjs (npm ci --prefix bench/peers), on one thread and on all.

  --rounds N      turns of each (6)
  --json          one line of JSON`,
};
