// A bare MQTT.js client for bench/service.ts: TAG/+/telemetry comes back as it is on TAG/NAME/forecast.
import mqtt from 'mqtt';

const [port, tag, qosText] = process.argv.slice(2);
const qos = Number(qosText);
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { manualConnect: true, protocolVersion: 5 });
client.on('connect', () => client.stream.setNoDelay(true));
client.on('message', (topic, payload) => {
  const name = topic.slice(tag.length + 1, topic.lastIndexOf('/'));
  client.publish(`${tag}/${name}/forecast`, payload, { qos });
});
client.connect();
client.subscribe(`${tag}/+/telemetry`, { qos });
