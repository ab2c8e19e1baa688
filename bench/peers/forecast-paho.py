"""What people write by hand, for bench/service.ts: paho-mqtt, json, an LSTM of PyTorch and a dict of states."""

import json
import sys
from datetime import datetime, timedelta

import paho.mqtt.client as mqtt
import torch

port, tag, qos, hidden = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
LAGS = 8

torch.set_num_threads(1)
torch.manual_seed(1)
cell = torch.nn.LSTMCell(LAGS, hidden)
head = torch.nn.Linear(hidden, 1)
states = {}


def on_connect(client, userdata, flags, reason, properties):
    client.subscribe(f"{tag}/+/telemetry", qos)


def on_message(client, userdata, message):
    name = message.topic.split("/")[1]
    reading = json.loads(message.payload)
    h, c, past = states.get(name) or (torch.zeros(1, hidden), torch.zeros(1, hidden), [0.0] * LAGS)
    value = reading["temp"]
    x = torch.tensor([[before - value for before in past]])
    with torch.inference_mode():
        h, c = cell(x, (h, c))
        forecast = value + head(h).item()
    states[name] = (h, c, [value] + past[:-1])
    ahead = datetime.fromisoformat(reading["time"].replace("Z", "+00:00")) + timedelta(hours=1)
    answer = {"stream": name, "time": reading["time"], "horizons": [{"time": ahead.isoformat(), "value": forecast}]}
    client.publish(f"{tag}/{name}/forecast", json.dumps(answer, separators=(",", ":")), qos)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.max_inflight_messages_set(65_535)
client.on_connect = on_connect
client.on_message = on_message
client.connect("127.0.0.1", port)
client.loop_forever()
