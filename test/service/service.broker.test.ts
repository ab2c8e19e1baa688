import { describeWithMosquitto, startMosquitto } from '../mqtt/mosquitto.ts';
import { describeRoad } from './road-cases.ts';

const start = async () => (await startMosquitto()).url;

describeWithMosquitto('with mosquitto', () => {
  describeRoad('mosquitto', { protocol: '5', start });
  describeRoad('mosquitto', { protocol: '3.1.1', start });
});
