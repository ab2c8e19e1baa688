import type { MqttClient } from 'mqtt';

/** Takes every chunk of bytes for a sign that the broker lives. MQTT.js knows the answer to its ping alone, which a large message on a
 * slow line holds up for longer than the keepalive: the broker would be left, and send the message once more for ever. */
export function createLifeSigns(client: MqttClient): () => void {
  let pingedMs = performance.now();
  return () => {
    const nowMs = performance.now();
    if (!client.connected || client.disconnecting || nowMs - pingedMs < 500 * client.keepalive) return;
    pingedMs = nowMs;
    // the broker has to hear something too, and MQTT.js begins to count anew
    client.sendPing();
    client.reschedulePing(true);
  };
}
